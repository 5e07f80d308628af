/* Numbers that become another's behind the hub's back: nothing that was meant for the old one goes
 * to the next, and nobody takes the next one's bytes for his. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "hub/base/list.h"
#include "tests/support/certificate.h"
#include "tests/support/in_hub.h"
#include "tests/unit/hub/io/behind.h"

/* A file is read by another thread, and sent by TLS; meanwhile the connection's number becomes a
 * plain socket's, or the file's another file's. */
struct sent_file {
	struct hub_tls *server, *client;
	bool is_file_lost;
	int fds[2];
	int file;
	struct hub_coroutine *coroutine;
	ssize_t result, leaked;
};

static void *
accept_one(void *argument)
{
	struct sent_file *sent = argument;

	hub_tls_accept(sent->fds[1], sent->server);
	return NULL;
}

static void *
send_file(void *argument)
{
	struct sent_file *sent = argument;

	off_t offset = 0;

	sent->result = hub_sendfile(sent->fds[0], sent->file, &offset, 1000);
	return NULL;
}

static void *
sent_file_body(void *argument)
{
	struct sent_file *sent = argument;
	struct hub_coroutine *acceptor;
	int heir[2], file = behind_temporary_file();
	char byte;

	socketpair(AF_UNIX, SOCK_STREAM, 0, sent->fds);
	socketpair(AF_UNIX, SOCK_STREAM, 0, heir);
	pwrite(file, "another file", 12, 0);
	sent->file = behind_temporary_file();
	acceptor = hub_spawn(accept_one, sent);
	hub_tls_connect(sent->fds[0], sent->client, "localhost");
	hub_join(acceptor, NULL);
	sent->coroutine = hub_spawn(send_file, sent);
	until_it_waits(sent->coroutine);
	syscall(SYS_dup3, sent->is_file_lost ? file : heir[0],
		sent->is_file_lost ? sent->file : sent->fds[0], O_CLOEXEC);
	hub_join(sent->coroutine, NULL);
	sent->leaked = recv(heir[1], &byte, 1, MSG_DONTWAIT);
	for (int i = 0; i < 2; i++) {
		hub_close(sent->fds[i]);
		hub_close(heir[i]);
	}
	hub_close(file);
	hub_close(sent->file);
	return NULL;
}

Test(behind_next, a_file_goes_on_to_nobody_else, .timeout = 60)
{
	static struct certificate certificate;
	struct sent_file sent = {0};

	cr_assert(certificate_make(&certificate));
	sent.server = hub_tls_server_new(certificate.file, certificate.key);
	sent.client = hub_tls_client_new(certificate.file);
	in_hub(sent_file_body, &sent);
	/* It waited for the file's bytes, or, if the kernel had them at hand, for its end. */
	cr_assert(sent.result == -1 || sent.result == 4, "%zd", sent.result);
	cr_assert_lt(sent.leaked, 0);
	sent.is_file_lost = true;
	in_hub(sent_file_body, &sent);
	cr_assert_eq(sent.result, 4);
	hub_tls_free(sent.server);
	hub_tls_free(sent.client);
	certificate_clean(&certificate);
}

/* One whose number becomes another's while no coroutine but it lives, as a thread would do it; a
 * duplicate of what it was stays open, and wakes it. */
struct usurped {
	struct hub_message message;
	int number, peer;              /* of what it was */
	int successor, successor_peer; /* of what it becomes */
	int duplicate;
	bool is_written;
	ssize_t result, leaked;
};

static char plenty[400000];

static void
usurp(struct hub_message *message)
{
	struct usurped *usurped = CONTAINER_OF(message, struct usurped, message);
	static char taken[65536];

	usurped->duplicate = dup(usurped->number);
	dup2(usurped->successor, usurped->number);
	if (usurped->is_written)
		while (recv(usurped->peer, taken, sizeof taken, MSG_DONTWAIT) > 0)
			continue;
	else
		send(usurped->peer, "x", 1, 0);
}

static void *
usurped_body(void *argument)
{
	struct usurped *usurped = argument;
	struct hub_timeout scope;
	int old[2], new[2];
	char byte;

	socketpair(AF_UNIX, usurped->is_written ? SOCK_STREAM : SOCK_DGRAM, 0, old);
	socketpair(AF_UNIX, usurped->is_written ? SOCK_STREAM : SOCK_DGRAM, 0, new);
	usurped->number = old[0], usurped->peer = old[1];
	usurped->successor = new[0], usurped->successor_peer = new[1];
	send(new[1], "y", 1, 0);
	usurped->message.deliver = usurp;
	hub_mailbox_post(hub_mailbox(), &usurped->message);
	hub_timeout_start(&scope, PATIENCE);
	if (usurped->is_written)
		usurped->result = hub_send(old[0], plenty, sizeof plenty, 0);
	else
		usurped->result = hub_recv(old[0], &byte, 1, 0);
	hub_timeout_stop(&scope);
	usurped->leaked = recv(new[1], plenty, sizeof plenty, MSG_DONTWAIT);
	hub_close(old[0]);
	hub_close(old[1]);
	hub_close(new[0]);
	hub_close(new[1]);
	close(usurped->duplicate);
	return NULL;
}

Test(behind_next, who_is_alone_is_not_taken_for_the_next_owner, .timeout = 60)
{
	struct usurped writer = {.is_written = true}, reader = {0};

	in_hub(usurped_body, &writer);
	cr_assert_lt(writer.result, (ssize_t)sizeof plenty);
	cr_assert_lt(writer.leaked, 0, "%zd bytes", writer.leaked);
	in_hub(usurped_body, &reader);
	cr_assert_lt(reader.result, 0);
}

/* ---- who waits for what comes next ---- */

struct next {
	bool is_message; /* that what comes next is a part of */
	int64_t moment;  /* from the wait's begin to the close */
	char bytes[8];
	ssize_t received; /* after the first byte */
	int error;
};

static void *
receive_next(void *argument)
{
	struct next *next = argument;

	if (!next->is_message)
		hub_recv(FIRST_NUMBER, next->bytes, sizeof next->bytes, 0);
	next->received = hub_recv(
		FIRST_NUMBER, next->bytes, sizeof next->bytes, next->is_message ? MSG_WAITALL : 0);
	next->error = errno;
	return NULL;
}

static void *
next_body(void *argument)
{
	struct next *next = argument;
	struct scene scene = {.was = WAS_stream_read, .number = FIRST_NUMBER};
	struct hub_coroutine *coroutine;
	int pair[2];

	behind_make_old(&scene);
	hub_send(scene.old_peer, "1", 1, 0);
	coroutine = hub_spawn(receive_next, next);
	hub_sleep(next->moment);
	socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
	behind_put(&scene, pair[0]);
	hub_send(pair[1], "another's", 9, 0);
	hub_join(coroutine, NULL);
	hub_close(FIRST_NUMBER);
	hub_close(pair[1]);
	hub_close(scene.old_peer);
	return NULL;
}

/* Whoever has received all that there was waits without asking first what the number means. */
Test(behind_next, a_drained_wait_that_has_lasted_takes_nothing_of_the_next_one, .timeout = 60)
{
	struct next next = {.moment = 300 * HUB_MILLISECOND};

	in_hub(next_body, &next);
	cr_assert_eq(next.received, -1);
	cr_assert_eq(next.error, EBADF);
}

Test(behind_next, a_message_does_not_go_on_with_the_next_one, .timeout = 60)
{
	struct next next = {.is_message = true, .moment = MOMENT};

	in_hub(next_body, &next);
	cr_assert_eq(next.received, 1);
	cr_assert_arr_eq(next.bytes, "1", 1);
}

struct visit {
	int number;
	ssize_t received;
};

struct visits {
	struct visit first, second;
};

static void *
receive_visit(void *argument)
{
	struct visit *visit = argument;
	struct hub_timeout scope;
	char byte;

	hub_timeout_start(&scope, PATIENCE);
	visit->received = hub_recv(visit->number, &byte, 1, 0);
	hub_timeout_stop(&scope);
	return NULL;
}

/* Another stream takes the number before anybody has looked at what was accepted. Which of two that
 * wait for the number means which is not known then, but neither waits for ever. */
static void *
accepted_body(void *argument)
{
	struct visits *visits = argument;
	struct scene scene = {.was = WAS_listener};
	struct hub_coroutine *first, *second;
	int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0),
	    listener = behind_listening_socket();
	struct sockaddr_storage address;
	socklen_t length = sizeof address;
	int pair[2];

	getsockname(listener, (struct sockaddr *)&address, &length);
	connect(client, (struct sockaddr *)&address, length);
	scene.number = hub_accept(listener, NULL, NULL);
	visits->first.number = visits->second.number = scene.number;
	first = hub_spawn(receive_visit, &visits->first);
	hub_sleep(MOMENT);
	socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
	behind_put(&scene, pair[0]);
	second = hub_spawn(receive_visit, &visits->second);
	hub_send(pair[1], "two", 2, 0);
	hub_join(first, NULL);
	hub_join(second, NULL);
	hub_close(scene.number);
	hub_close(pair[1]);
	hub_close(listener);
	hub_close(client);
	return NULL;
}

Test(behind_next, an_accepted_one_that_is_replaced_at_once_hangs_nobody, .timeout = 90)
{
	struct visits visits = {0};

	in_hub(accepted_body, &visits);
	cr_assert_eq(visits.first.received, 1);
	cr_assert_eq(visits.second.received, 1);
}
