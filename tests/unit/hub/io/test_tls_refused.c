/* Handshakes that are refused, connections that are broken off, peers and files that are not what
 * they should be. */
#include <errno.h>
#include <openssl/ssl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/in_hub.h"
#include "tests/support/trace.h"
#include "tests/unit/hub/io/encrypted.h"

TestSuite(tls_refused, .init = encrypted_begin, .fini = encrypted_end);

static void *
untrusted_body(void *argument)
{
	encrypted_shake_hands();
	encrypted_close();
	return argument;
}

Test(tls_refused, who_is_not_who_they_say)
{
	encrypted.name = "example.org";
	in_hub(untrusted_body, NULL);
	cr_assert_eq(encrypted.connect_error, EPROTO);
	cr_assert(strstr(encrypted.why, "hostname mismatch") != NULL, "%s", encrypted.why);
	cr_assert_neq(encrypted.accept_error, 0);
	hub_tls_trust_anybody(encrypted.client_tls);
	in_hub(untrusted_body, NULL);
	cr_assert_eq(encrypted.connect_error, 0, "%s", encrypted.why);
}

static void *
accept_and_say(void *argument)
{
	trace_call(argument, hub_tls_accept(encrypted.server, encrypted.server_tls));
	return NULL;
}

static void *
no_tls_body(void *argument)
{
	struct hub_coroutine *server;
	struct hub_timeout scope;

	encrypted_pair();
	server = hub_spawn(accept_and_say, "plain HTTP");
	hub_send(encrypted.client, "GET / HTTP/1.0\r\n\r\n", 18, 0);
	hub_join(server, NULL);
	trace_say(
		"%s", strstr(hub_tls_why(), "http request") != NULL ? "it says so" : hub_tls_why());
	encrypted_close();
	/* Until the caller's deadline. */
	encrypted_pair();
	hub_timeout_start(&scope, 20 * HUB_MILLISECOND);
	accept_and_say("silence");
	hub_timeout_stop(&scope);
	encrypted_close();
	/* Broken off by whoever drains. */
	encrypted_pair();
	server = hub_spawn(accept_and_say, "drained");
	until_it_waits(server);
	hub_end_input(encrypted.server);
	hub_join(server, NULL);
	encrypted_close();
	encrypted_pair();
	server = hub_spawn(accept_and_say, "an end in the middle");
	hub_send(encrypted.client, "\x16\x03\x01", 3, 0);
	hub_close(encrypted.client);
	hub_join(server, NULL);
	hub_close(encrypted.server);
	return argument;
}

Test(tls_refused, what_is_no_handshake)
{
	in_hub(no_tls_body, NULL);
	cr_assert_str_eq(trace_text(),
		"plain HTTP EPROTO, it says so, silence ETIMEDOUT, drained ECONNRESET, "
		"an end in the middle ECONNRESET");
}

static void *
connect_and_leave(void *argument)
{
	hub_tls_connect(encrypted.client, encrypted.client_tls, NULL);
	return argument;
}

/* The server's answer finds nobody: what fails is a send. */
static void *
gone_body(void *argument)
{
	struct hub_coroutine *client;

	encrypted_pair();
	client = hub_spawn(connect_and_leave, NULL);
	until_it_waits(client);
	hub_kill(client);
	hub_join(client, NULL);
	hub_close(encrypted.client);
	accept_and_say("gone before the answer");
	trace_say("%s", hub_tls_why());
	hub_close(encrypted.server);
	return argument;
}

Test(tls_refused, who_goes_is_not_refused)
{
	in_hub(gone_body, NULL);
	cr_assert_str_eq(trace_text(), "gone before the answer ECONNRESET, the peer has gone");
}

static void
accept_and_say_why(const char *what, int fd)
{
	trace_call(what, hub_tls_accept(fd, encrypted.server_tls));
	trace_say("%s", hub_tls_why());
}

static void *
no_handshake_body(void *argument)
{
	int datagrams = hub_socket(AF_UNIX, SOCK_DGRAM, 0);

	accept_and_say_why("closed", -1);
	accept_and_say_why("datagrams", datagrams);
	hub_close(datagrams);
	encrypted_shake_hands();
	accept_and_say_why("encrypted", encrypted.server);
	encrypted_close();
	return argument;
}

Test(tls_refused, calls_that_begin_no_handshake_say_why)
{
	in_hub(no_handshake_body, NULL);
	cr_assert_str_eq(trace_text(), "closed EBADF, Bad file descriptor, "
				       "datagrams EINVAL, the descriptor is no stream socket, "
				       "encrypted EALREADY, the descriptor has TLS already");
}

static void *
receive_and_say(void *argument)
{
	char byte;

	trace_call(argument, hub_recv(encrypted.server, &byte, 1, 0));
	return NULL;
}

static struct hub_coroutine *
wait_to_receive(const char *name)
{
	struct hub_coroutine *waiter;

	encrypted_shake_hands();
	waiter = hub_spawn(receive_and_say, (void *)(uintptr_t)name);
	until_it_waits(waiter);
	return waiter;
}

static void *
ends_body(void *argument)
{
	struct hub_coroutine *waiter = wait_to_receive("cut without a word");

	hub_release(encrypted.client);
	close(encrypted.client);
	hub_join(waiter, NULL);
	hub_close(encrypted.server);
	waiter = wait_to_receive("ended by whoever drains");
	hub_end_input(encrypted.server);
	hub_join(waiter, NULL);
	encrypted_close();
	waiter = wait_to_receive("closed under a waiter");
	hub_close(encrypted.server);
	hub_join(waiter, NULL);
	hub_close(encrypted.client);
	return argument;
}

Test(tls_refused, ends)
{
	in_hub(ends_body, NULL);
	cr_assert_str_eq(trace_text(), "cut without a word ECONNRESET, ended by whoever drains 0, "
				       "closed under a waiter EBADF");
}

/* Nothing can be told any more, so the socket alone is shut down; else whoever receives there would
 * wait for ever. */
static void *
shut_down_body(void *argument)
{
	char bytes[64];
	ssize_t received;

	encrypted_shake_hands();
	send(encrypted.client, "this is no record", 17, MSG_DONTWAIT);
	trace_call("recv", hub_recv(encrypted.server, bytes, sizeof bytes, 0));
	trace_call("shutdown", hub_shutdown(encrypted.server, SHUT_RDWR));
	do
		received = recv(encrypted.client, bytes, sizeof bytes, MSG_DONTWAIT);
	while (received > 0);
	trace_call("the peer's socket", received);
	encrypted_close();
	return argument;
}

Test(tls_refused, a_broken_connection_can_be_shut_down)
{
	in_hub(shut_down_body, NULL);
	cr_assert_str_eq(trace_text(), "recv EPROTO, shutdown EPIPE, the peer's socket 0");
}

/* Not even where the bytes lie matters: OpenSSL still has those of the call that has failed. */
static void *
send_again_body(void *argument)
{
	static const char bytes[] = "hello", others[] = "good morning";

	encrypted_shake_hands();
	hub_close(encrypted.client);
	trace_call("send", hub_send(encrypted.server, bytes, sizeof bytes, 0));
	trace_call("the same", hub_send(encrypted.server, bytes, sizeof bytes, 0));
	trace_call("others", hub_send(encrypted.server, others, sizeof others, 0));
	hub_close(encrypted.server);
	return argument;
}

Test(tls_refused, a_broken_connection_takes_no_bytes)
{
	in_hub(send_again_body, NULL);
	cr_assert_str_eq(trace_text(), "send EPIPE, the same EPIPE, others EPIPE");
}

/* ---- a peer that asks for new keys without end ---- */

#define UPDATES 4000

static struct {
	bool has_met;
	ssize_t received;
	int error;
	bool is_over;
	long turns; /* of another coroutine, before that */
} updates;

/* OpenSSL over memory, so that what it says can be sent when it is wanted. */
struct peer {
	SSL_CTX *context;
	SSL *ssl;
	BIO *in;
	BIO *out;
};

static void
say(struct peer *peer)
{
	char *bytes;
	long length = BIO_get_mem_data(peer->out, &bytes);

	hub_send(encrypted.client, bytes, (size_t)length, 0);
	(void)BIO_reset(peer->out);
}

static bool
meet(struct peer *peer)
{
	char bytes[4096];

	while (SSL_do_handshake(peer->ssl) != 1) {
		ssize_t got;

		say(peer);
		got = hub_recv(encrypted.client, bytes, sizeof bytes, 0);
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
	char byte;

	updates.received = hub_recv(encrypted.server, &byte, 1, 0);
	updates.error = errno;
	updates.is_over = true;
	return argument;
}

static void *
count_turns(void *argument)
{
	while (!updates.is_over && hub_sleep(0) == 0)
		updates.turns++;
	return argument;
}

static void *
updates_body(void *argument)
{
	struct peer peer = {.context = SSL_CTX_new(TLS_client_method()),
		.in = BIO_new(BIO_s_mem()),
		.out = BIO_new(BIO_s_mem())};
	struct hub_coroutine *server, *counter;

	peer.ssl = SSL_new(peer.context);
	SSL_set_bio(peer.ssl, peer.in, peer.out);
	SSL_set_connect_state(peer.ssl);
	encrypted_pair();
	server = hub_spawn(encrypted_accept, argument);
	updates.has_met = meet(&peer);
	hub_join(server, NULL);
	for (int i = 0; i < UPDATES; i++) {
		SSL_key_update(peer.ssl, SSL_KEY_UPDATE_NOT_REQUESTED);
		SSL_do_handshake(peer.ssl);
	}
	SSL_write(peer.ssl, "x", 1);
	/* All is in the socket before anybody reads. */
	say(&peer);
	server = hub_spawn(receive_one, argument);
	counter = hub_spawn(count_turns, argument);
	hub_join(server, NULL);
	hub_join(counter, NULL);
	encrypted_close();
	SSL_free(peer.ssl);
	SSL_CTX_free(peer.context);
	return NULL;
}

Test(tls_refused, a_peer_that_wants_new_keys_again_and_again_does_not_keep_the_hub)
{
	in_hub(updates_body, NULL);
	cr_assert(updates.has_met);
	cr_assert_eq(updates.received, 1, "%s", strerror(updates.error));
	/* Once it is known, it has a turn for some ten keys. */
	cr_assert_gt(updates.turns, UPDATES / 20, "others ran %ld times", updates.turns);
}

/* ---- closed behind the hub ---- */

static struct {
	ssize_t received, received_after;
	int error;
} behind;

static void *
close_behind_body(void *argument)
{
	char bytes[8];
	int next[2];

	encrypted_shake_hands();
	/* It finds the socket drained, so the next call waits without asking the kernel. */
	hub_recv(encrypted.server, bytes, sizeof bytes, MSG_DONTWAIT);
	close(encrypted.server);
	behind.received = hub_recv(encrypted.server, bytes, sizeof bytes, 0);
	behind.error = errno;
	/* The next file of that number. */
	socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, next);
	hub_send(next[1], "next", 4, 0);
	behind.received_after = hub_recv(next[0], bytes, sizeof bytes, 0);
	hub_close(next[0]);
	hub_close(next[1]);
	hub_close(encrypted.client);
	return argument;
}

Test(tls_refused, one_that_was_closed_by_others_cannot_be_received_from)
{
	in_hub(close_behind_body, NULL);
	cr_assert_eq(behind.received, -1);
	cr_assert_eq(behind.error, EBADF);
	cr_assert_eq(behind.received_after, 4);
}
