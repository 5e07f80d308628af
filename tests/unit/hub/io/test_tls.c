#include <errno.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/certificate.h"
#include "tests/support/in_hub.h"

#define BIG ((size_t)3 << 20)

struct record {
	struct hub_tls *server;
	struct hub_tls *client;
	const char *name;
	int fds[2]; /* the server's, the client's */
	long results[12];
	int errors[12];
	char text[256];
	char bytes[64];
};

static struct certificate certificate;

static void
make_contexts(struct record *record)
{
	cr_assert(certificate_make(&certificate));
	*record = (struct record){.server = hub_tls_server_new(certificate.file, certificate.key),
		.client = hub_tls_client_new(certificate.file),
		.name = "localhost"};
	cr_assert(record->server != NULL && record->client != NULL, "%s", hub_tls_why());
}

static void
free_contexts(struct record *record)
{
	hub_tls_free(record->server);
	hub_tls_free(record->client);
	certificate_clean(&certificate);
}

static void *
accept_side(void *argument)
{
	struct record *record = argument;

	record->results[0] = hub_tls_accept(record->fds[0], record->server);
	record->errors[0] = errno;
	return NULL;
}

/* A pair of sockets, with the handshake done on both, or failed. */
static void
shake_hands(struct record *record)
{
	struct hub_coroutine *server;

	socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, record->fds);
	server = hub_spawn(accept_side, record);
	record->results[1] = hub_tls_connect(record->fds[1], record->client, record->name);
	record->errors[1] = errno;
	snprintf(record->text, sizeof record->text, "%s", hub_tls_why());
	if (record->results[1] != 0)
		hub_shutdown(record->fds[1], SHUT_RDWR);
	hub_join(server, NULL);
}

static void
close_both(struct record *record)
{
	hub_close(record->fds[0]);
	hub_close(record->fds[1]);
}

static void *
echo_side(void *argument)
{
	struct record *record = argument;
	char bytes[1000];
	ssize_t received;

	while ((received = hub_recv(record->fds[0], bytes, sizeof bytes, 0)) > 0)
		hub_send(record->fds[0], bytes, (size_t)received, 0);
	record->results[3] = received;
	hub_shutdown(record->fds[0], SHUT_WR);
	return NULL;
}

static void *
exchange_body(void *argument)
{
	struct record *record = argument;
	struct hub_coroutine *echo;
	struct iovec parts[] = {{(char *)"one ", 4}, {(char *)"two ", 4}, {(char *)"three", 5}};
	struct iovec in[] = {{record->bytes, 6}, {record->bytes + 6, 7}};
	struct msghdr message = {.msg_iov = in, .msg_iovlen = 2};

	shake_hands(record);
	record->results[2] = hub_tls_version(record->fds[1]) != NULL;
	echo = hub_spawn(echo_side, record);
	hub_writev(record->fds[1], parts, 3);
	record->results[4] = hub_recv(record->fds[1], record->bytes, 4, MSG_PEEK | MSG_WAITALL);
	record->results[5] = hub_recv(record->fds[1], record->bytes, 13, MSG_WAITALL);
	hub_write(record->fds[1], "again, please", 13);
	while (hub_wait_fd(record->fds[1], POLLIN) < 0)
		continue;
	record->results[6] = hub_recvmsg(record->fds[1], &message, 0);
	/* Of the one record the rest waits in the library, where the kernel sees nothing. */
	record->results[7] = hub_wait_fd(record->fds[1], POLLIN);
	record->results[8] = hub_read(record->fds[1], record->bytes + 6, 7);
	record->results[9] = hub_recv(record->fds[1], record->bytes, 1, MSG_DONTWAIT);
	record->errors[9] = errno;
	hub_shutdown(record->fds[1], SHUT_WR);
	record->results[10] = hub_recv(record->fds[1], record->text, 1, 0);
	hub_join(echo, NULL);
	close_both(record);
	return NULL;
}

Test(tls, every_call_goes_through_it)
{
	struct record record;

	make_contexts(&record);
	in_hub(exchange_body, &record);
	cr_assert_eq(record.results[0], 0, "accept: %s", strerror(record.errors[0]));
	cr_assert_eq(record.results[1], 0, "connect: %s", record.text);
	cr_assert_eq(record.results[2], 1);
	cr_assert_eq(record.results[4], 4);
	cr_assert_eq(record.results[5], 13);
	cr_assert_eq(record.results[6], 6);
	cr_assert_eq(record.results[7], POLLIN);
	cr_assert_eq(record.results[8], 7);
	cr_assert_str_eq(record.bytes, "again, please");
	cr_assert_eq(record.results[9], -1);
	cr_assert_eq(record.errors[9], EAGAIN);
	cr_assert_eq(record.results[10], 0, "the peer's end comes after ours");
	cr_assert_eq(record.results[3], 0);
	free_contexts(&record);
}

/* Both directions full at once; the reader begins late. */
static void *
read_big(void *argument)
{
	struct record *record = argument;
	static char bytes[65536];
	size_t got = 0;
	ssize_t received;

	hub_sleep(20 * HUB_MILLISECOND);
	while ((received = hub_recv(record->fds[0], bytes, sizeof bytes, 0)) > 0) {
		for (ssize_t i = 0; i < received; i++)
			if (bytes[i] != (char)((got + (size_t)i) % 251))
				record->results[3]++;
		got += (size_t)received;
	}
	record->results[4] = (long)got;
	return NULL;
}

static void *
big_body(void *argument)
{
	struct record *record = argument;
	char *bytes = malloc(BIG);
	struct hub_coroutine *reader;
	size_t sent;

	for (size_t i = 0; i < BIG; i++)
		bytes[i] = (char)(i % 251);
	shake_hands(record);
	reader = hub_spawn(read_big, record);
	/* As much as goes without waiting; the last record of it is kept, and sent by itself. */
	record->results[2] = hub_send(record->fds[1], bytes, BIG, MSG_DONTWAIT);
	sent = (size_t)record->results[2];
	record->results[5] = hub_send(record->fds[1], bytes + sent, BIG - sent, MSG_DONTWAIT);
	record->errors[5] = errno;
	record->results[6] = hub_send(record->fds[1], bytes + sent, BIG - sent, 0);
	hub_shutdown(record->fds[1], SHUT_WR);
	hub_join(reader, NULL);
	close_both(record);
	free(bytes);
	return NULL;
}

Test(tls, more_than_the_socket_takes)
{
	struct record record;

	make_contexts(&record);
	in_hub(big_body, &record);
	cr_assert_gt(record.results[2], 0);
	cr_assert_lt(record.results[2], (long)BIG);
	cr_assert_eq(record.results[5], -1);
	cr_assert_eq(record.errors[5], EAGAIN);
	cr_assert_eq(record.results[6], (long)BIG - record.results[2]);
	cr_assert_eq(record.results[3], 0, "%ld wrong bytes", record.results[3]);
	cr_assert_eq(record.results[4], (long)BIG);
	free_contexts(&record);
}

/* What was kept goes out though its sender only receives. */
static void *
kept_body(void *argument)
{
	struct record *record = argument;
	static char bytes[BIG];
	struct hub_coroutine *reader;

	for (size_t i = 0; i < BIG; i++)
		bytes[i] = (char)(i % 251);
	shake_hands(record);
	record->results[2] = hub_send(record->fds[1], bytes, BIG, MSG_DONTWAIT);
	reader = hub_spawn(read_big, record);
	hub_sleep(100 * HUB_MILLISECOND);
	hub_close(record->fds[1]);
	hub_join(reader, NULL);
	hub_close(record->fds[0]);
	return NULL;
}

Test(tls, what_is_kept_is_sent_by_itself)
{
	struct record record;

	make_contexts(&record);
	in_hub(kept_body, &record);
	cr_assert_eq(record.results[3], 0);
	cr_assert_eq(record.results[4], record.results[2]);
	free_contexts(&record);
}

static void *
untrusted_body(void *argument)
{
	struct record *record = argument;

	shake_hands(record);
	close_both(record);
	return NULL;
}

Test(tls, who_is_not_who_they_say_is_refused)
{
	struct record record;

	make_contexts(&record);
	record.name = "example.org";
	in_hub(untrusted_body, &record);
	cr_assert_eq(record.results[1], -1);
	cr_assert_eq(record.errors[1], EPROTO);
	cr_assert(strstr(record.text, "hostname mismatch") != NULL, "%s", record.text);
	cr_assert_eq(record.results[0], -1);
	hub_tls_trust_anybody(record.client);
	in_hub(untrusted_body, &record);
	cr_assert_eq(record.results[1], 0, "%s", record.text);
	free_contexts(&record);
}

static void *
no_tls_body(void *argument)
{
	struct record *record = argument;
	struct hub_coroutine *server;
	struct hub_timeout scope;

	socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, record->fds);
	server = hub_spawn(accept_side, record);
	hub_send(record->fds[1], "GET / HTTP/1.0\r\n\r\n", 18, 0);
	hub_join(server, NULL);
	snprintf(record->text, sizeof record->text, "%s", hub_tls_why());
	close_both(record);
	record->errors[2] = record->errors[0];
	/* Silence, until the caller's deadline. */
	socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, record->fds);
	hub_timeout_start(&scope, 20 * HUB_MILLISECOND);
	record->results[1] = hub_tls_accept(record->fds[0], record->server);
	record->errors[1] = errno;
	hub_timeout_stop(&scope);
	hub_close(record->fds[0]);
	hub_close(record->fds[1]);
	/* Broken off by whoever drains. */
	socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, record->fds);
	server = hub_spawn(accept_side, record);
	until_it_waits(server);
	hub_end_input(record->fds[0]);
	hub_join(server, NULL);
	record->results[3] = record->results[0];
	record->errors[3] = record->errors[0];
	hub_close(record->fds[0]);
	hub_close(record->fds[1]);
	/* An end in the middle. */
	socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, record->fds);
	server = hub_spawn(accept_side, record);
	hub_send(record->fds[1], "\x16\x03\x01", 3, 0);
	hub_close(record->fds[1]);
	hub_join(server, NULL);
	hub_close(record->fds[0]);
	return NULL;
}

Test(tls, what_is_no_handshake_is_refused)
{
	struct record record;

	make_contexts(&record);
	in_hub(no_tls_body, &record);
	cr_assert_eq(record.errors[2], EPROTO);
	cr_assert(strstr(record.text, "http request") != NULL, "%s", record.text);
	cr_assert_eq(record.results[1], -1);
	cr_assert_eq(record.errors[1], ETIMEDOUT);
	cr_assert_eq(record.results[3], -1);
	cr_assert_eq(record.errors[3], ECONNRESET);
	cr_assert_eq(record.results[0], -1);
	cr_assert_eq(record.errors[0], ECONNRESET);
	free_contexts(&record);
}

static void *
wait_to_receive(void *argument)
{
	struct record *record = argument;

	record->results[2] = hub_recv(record->fds[0], record->bytes, 1, 0);
	record->errors[2] = errno;
	return NULL;
}

static void *
ends_body(void *argument)
{
	struct record *record = argument;
	struct hub_coroutine *waiter;

	/* Cut without a word. */
	shake_hands(record);
	waiter = hub_spawn(wait_to_receive, record);
	until_it_waits(waiter);
	hub_release(record->fds[1]);
	close(record->fds[1]);
	hub_join(waiter, NULL);
	record->results[3] = record->results[2];
	record->errors[3] = record->errors[2];
	hub_close(record->fds[0]);
	/* Ended by whoever drains. */
	shake_hands(record);
	waiter = hub_spawn(wait_to_receive, record);
	until_it_waits(waiter);
	hub_end_input(record->fds[0]);
	hub_join(waiter, NULL);
	record->results[4] = record->results[2];
	/* Closed under a waiter. */
	close_both(record);
	shake_hands(record);
	waiter = hub_spawn(wait_to_receive, record);
	until_it_waits(waiter);
	hub_close(record->fds[0]);
	hub_join(waiter, NULL);
	hub_close(record->fds[1]);
	return NULL;
}

Test(tls, ends)
{
	struct record record;

	make_contexts(&record);
	in_hub(ends_body, &record);
	cr_assert_eq(record.results[3], -1);
	cr_assert_eq(record.errors[3], ECONNRESET);
	cr_assert_eq(record.results[4], 0);
	cr_assert_eq(record.results[2], -1);
	cr_assert_eq(record.errors[2], EBADF);
	free_contexts(&record);
}

/* The kernel's buffer is full when it is closed; what was taken arrives all the same, and then the
 * end. */
static void *
rest_body(void *argument)
{
	struct record *record = argument;
	static char bytes[BIG];
	struct hub_coroutine *reader;

	for (size_t i = 0; i < BIG; i++)
		bytes[i] = (char)(i % 251);
	shake_hands(record);
	record->results[2] = hub_send(record->fds[1], bytes, BIG, MSG_DONTWAIT);
	hub_close(record->fds[1]);
	reader = hub_spawn(read_big, record);
	hub_join(reader, NULL);
	hub_close(record->fds[0]);
	hub_sleep(10 * HUB_MILLISECOND);
	return NULL;
}

Test(tls, what_was_taken_is_sent_after_the_close)
{
	struct record record;

	make_contexts(&record);
	in_hub(rest_body, &record);
	cr_assert_eq(record.results[3], 0);
	cr_assert_eq(record.results[4], record.results[2]);
	free_contexts(&record);
}

/* The end is told as often as it is asked for, and said once. */
static void *
twice_body(void *argument)
{
	struct record *record = argument;

	shake_hands(record);
	record->results[2] = hub_shutdown(record->fds[1], SHUT_WR);
	record->results[3] = hub_shutdown(record->fds[1], SHUT_WR);
	record->results[4] = hub_recv(record->fds[0], record->bytes, 1, 0);
	record->results[5] = hub_recv(record->fds[0], record->bytes, 1, 0);
	hub_send(record->fds[0], "x", 1, 0);
	record->results[6] = hub_recv(record->fds[1], record->bytes, 1, 0);
	close_both(record);
	return NULL;
}

Test(tls, ends_are_said_once_and_told_again)
{
	struct record record;

	make_contexts(&record);
	in_hub(twice_body, &record);
	cr_assert_eq(record.results[2], 0);
	cr_assert_eq(record.results[3], 0);
	cr_assert_eq(record.results[4], 0);
	cr_assert_eq(record.results[5], 0);
	cr_assert_eq(record.results[6], 1);
	free_contexts(&record);
}

/* A big send lets others run. */
static void *
count_turns(void *argument)
{
	struct record *record = argument;

	while (record->results[3] == 0 && hub_sleep(0) == 0)
		record->results[4]++;
	return NULL;
}

static void *
drink(void *argument)
{
	struct record *record = argument;
	static char bytes[65536];

	while (hub_recv(record->fds[0], bytes, sizeof bytes, 0) > 0)
		continue;
	return NULL;
}

static void *
turns_body(void *argument)
{
	struct record *record = argument;
	char *bytes = calloc(8, BIG);
	struct hub_coroutine *counter, *drinker;

	shake_hands(record);
	drinker = hub_spawn(drink, record);
	counter = hub_spawn(count_turns, record);
	record->results[2] = hub_send(record->fds[1], bytes, 8 * BIG, 0);
	record->results[3] = 1;
	hub_join(counter, NULL);
	hub_close(record->fds[1]);
	hub_join(drinker, NULL);
	hub_close(record->fds[0]);
	free(bytes);
	return NULL;
}

Test(tls, a_big_send_lets_others_run)
{
	struct record record;

	make_contexts(&record);
	in_hub(turns_body, &record);
	cr_assert_eq(record.results[2], 8 * (long)BIG);
	cr_assert_gt(record.results[4], 3);
	free_contexts(&record);
}

/* ---- a peer that asks for new keys without end ---- */

#define UPDATES 4000

/* OpenSSL over memory, so that what it says can be sent when it is wanted. */
struct peer {
	SSL_CTX *context;
	SSL *ssl;
	BIO *in;
	BIO *out;
	int fd;
};

static void
say(struct peer *peer)
{
	char *bytes;
	long length = BIO_get_mem_data(peer->out, &bytes);

	hub_send(peer->fd, bytes, (size_t)length, 0);
	(void)BIO_reset(peer->out);
}

static bool
meet(struct peer *peer)
{
	char bytes[4096];

	while (SSL_do_handshake(peer->ssl) != 1) {
		ssize_t got;

		say(peer);
		got = hub_recv(peer->fd, bytes, sizeof bytes, 0);
		if (got <= 0)
			return false;
		BIO_write(peer->in, bytes, (int)got);
	}
	say(peer);
	return true;
}

static void *
receive_one(void *argument)
{
	struct record *record = argument;

	record->results[2] = hub_recv(record->fds[0], record->bytes, 1, 0);
	record->errors[2] = errno;
	record->results[3] = 1;
	return NULL;
}

static void *
updates_body(void *argument)
{
	struct record *record = argument;
	struct peer peer = {.context = SSL_CTX_new(TLS_client_method()),
		.in = BIO_new(BIO_s_mem()),
		.out = BIO_new(BIO_s_mem())};
	struct hub_coroutine *server, *counter;

	peer.ssl = SSL_new(peer.context);
	SSL_set_bio(peer.ssl, peer.in, peer.out);
	SSL_set_connect_state(peer.ssl);
	socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, record->fds);
	peer.fd = record->fds[1];
	server = hub_spawn(accept_side, record);
	record->results[1] = meet(&peer);
	hub_join(server, NULL);
	for (int i = 0; i < UPDATES; i++) {
		SSL_key_update(peer.ssl, SSL_KEY_UPDATE_NOT_REQUESTED);
		SSL_do_handshake(peer.ssl);
	}
	SSL_write(peer.ssl, "x", 1);
	/* All is in the socket before anybody reads. */
	say(&peer);
	server = hub_spawn(receive_one, record);
	counter = hub_spawn(count_turns, record);
	hub_join(server, NULL);
	hub_join(counter, NULL);
	close_both(record);
	SSL_free(peer.ssl);
	SSL_CTX_free(peer.context);
	return NULL;
}

Test(tls, a_peer_that_wants_new_keys_again_and_again_does_not_keep_the_hub)
{
	struct record record;

	make_contexts(&record);
	in_hub(updates_body, &record);
	cr_assert_eq(record.results[1], 1);
	cr_assert_eq(record.results[2], 1, "%s", strerror(record.errors[2]));
	cr_assert_gt(record.results[4], 3, "others ran %ld times", record.results[4]);
	free_contexts(&record);
}

static void *
file_body(void *argument)
{
	struct record *record = argument;
	int file = open(certificate.file, O_RDONLY | O_CLOEXEC);
	off_t offset = 5;

	shake_hands(record);
	record->results[2] = hub_sendfile(record->fds[1], file, &offset, 22);
	record->results[3] = offset;
	hub_recv(record->fds[0], record->bytes, 22, MSG_WAITALL);
	hub_close(file);
	close_both(record);
	return NULL;
}

Test(tls, files_are_encrypted_too)
{
	struct record record;

	make_contexts(&record);
	in_hub(file_body, &record);
	cr_assert_eq(record.results[2], 22);
	cr_assert_eq(record.results[3], 27);
	cr_assert_str_eq(record.bytes, "BEGIN CERTIFICATE-----");
	free_contexts(&record);
}
