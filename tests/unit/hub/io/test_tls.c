/* What goes over TLS: every call of the hub, more than the socket takes, files, and ends.
 * Handshakes and what breaks a connection off are in test_tls_refused.c. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/support/in_hub.h"
#include "tests/support/trace.h"
#include "tests/unit/hub/io/encrypted.h"

#define BIG ((size_t)3 << 20)

TestSuite(tls, .init = encrypted_begin, .fini = encrypted_end);

static void *
echo_side(void *argument)
{
	char bytes[1000];
	ssize_t received;

	while ((received = hub_recv(encrypted.server, bytes, sizeof bytes, 0)) > 0)
		hub_send(encrypted.server, bytes, (size_t)received, 0);
	trace_call("our end", received);
	hub_shutdown(encrypted.server, SHUT_WR);
	return argument;
}

static void *
exchange_body(void *argument)
{
	struct hub_coroutine *echo;
	char bytes[64] = "", byte;
	struct iovec parts[] = {{(char *)"one ", 4}, {(char *)"two ", 4}, {(char *)"three", 5}};
	struct iovec in[] = {{bytes, 6}, {bytes + 6, 7}};
	struct msghdr message = {.msg_iov = in, .msg_iovlen = 2};
	int client;

	encrypted_shake_hands();
	client = encrypted.client;
	trace_whether("a version", hub_tls_version(client) != NULL);
	echo = hub_spawn(echo_side, argument);
	hub_writev(client, parts, 3);
	trace_call("peek", hub_recv(client, bytes, 4, MSG_PEEK | MSG_WAITALL));
	trace_call("recv", hub_recv(client, bytes, 13, MSG_WAITALL));
	trace_say("'%s'", bytes);
	hub_write(client, "again, please", 13);
	while (hub_wait_fd(client, POLLIN) < 0)
		continue;
	trace_call("recvmsg", hub_recvmsg(client, &message, 0));
	/* Of the one record the rest waits in the library, where the kernel sees nothing. */
	trace_whether("readable", hub_wait_fd(client, POLLIN) == POLLIN);
	trace_call("read", hub_read(client, bytes + 6, 7));
	trace_say("'%s'", bytes);
	trace_call("recv", hub_recv(client, &byte, 1, MSG_DONTWAIT));
	hub_shutdown(client, SHUT_WR);
	trace_call("the peer's end", hub_recv(client, &byte, 1, 0));
	hub_join(echo, NULL);
	encrypted_close();
	return NULL;
}

Test(tls, every_call_goes_through_it)
{
	in_hub(exchange_body, NULL);
	cr_assert_eq(encrypted.accept_error, 0, "%s", strerror(encrypted.accept_error));
	cr_assert_eq(encrypted.connect_error, 0, "%s", encrypted.why);
	cr_assert_str_eq(trace_text(),
		"a version, peek 4, recv 13, 'one two three', recvmsg 6, readable, read 7, "
		"'again, please', recv EAGAIN, our end 0, the peer's end 0");
}

/* ---- more than the socket takes ---- */

/* Of BIG bytes. */
static struct {
	long at_once, rest; /* that were sent */
	int full_error;     /* between both */
	long arrived, wrong;
} big;

static char *
new_bytes(void)
{
	char *bytes = malloc(BIG);

	for (size_t i = 0; i < BIG; i++)
		bytes[i] = (char)(i % 251);
	return bytes;
}

/* Begins late, when both directions are full. */
static void *
read_big(void *argument)
{
	static char bytes[65536];
	ssize_t received;

	hub_sleep(20 * HUB_MILLISECOND);
	while ((received = hub_recv(encrypted.server, bytes, sizeof bytes, 0)) > 0) {
		for (ssize_t i = 0; i < received; i++)
			big.wrong += bytes[i] != (char)((big.arrived + i) % 251);
		big.arrived += received;
	}
	return argument;
}

static void *
big_body(void *argument)
{
	char *bytes = new_bytes();
	struct hub_coroutine *reader;
	int client;

	encrypted_shake_hands();
	client = encrypted.client;
	reader = hub_spawn(read_big, argument);
	/* As much as goes without waiting; the last record of it is kept, and sent by itself. */
	big.at_once = hub_send(client, bytes, BIG, MSG_DONTWAIT);
	if (hub_send(client, bytes + big.at_once, BIG - (size_t)big.at_once, MSG_DONTWAIT) == -1)
		big.full_error = errno;
	big.rest = hub_send(client, bytes + big.at_once, BIG - (size_t)big.at_once, 0);
	hub_shutdown(client, SHUT_WR);
	hub_join(reader, NULL);
	encrypted_close();
	free(bytes);
	return NULL;
}

Test(tls, more_than_the_socket_takes)
{
	in_hub(big_body, NULL);
	cr_assert_gt(big.at_once, 0);
	cr_assert_lt(big.at_once, (long)BIG);
	cr_assert_eq(big.full_error, EAGAIN);
	cr_assert_eq(big.rest, (long)BIG - big.at_once);
	cr_assert_eq(big.wrong, 0, "%ld wrong bytes", big.wrong);
	cr_assert_eq(big.arrived, (long)BIG);
}

/* What was kept goes out though its sender only receives. */
static void *
kept_body(void *argument)
{
	char *bytes = new_bytes();
	struct hub_coroutine *reader;

	encrypted_shake_hands();
	big.at_once = hub_send(encrypted.client, bytes, BIG, MSG_DONTWAIT);
	reader = hub_spawn(read_big, argument);
	hub_sleep(100 * HUB_MILLISECOND);
	hub_close(encrypted.client);
	hub_join(reader, NULL);
	hub_close(encrypted.server);
	free(bytes);
	return NULL;
}

Test(tls, what_is_kept_is_sent_by_itself)
{
	in_hub(kept_body, NULL);
	cr_assert_eq(big.wrong, 0);
	cr_assert_eq(big.arrived, big.at_once);
}

/* The kernel's buffer is full when it is closed; what was taken arrives all the same, and then the
 * end. */
static void *
rest_body(void *argument)
{
	char *bytes = new_bytes();
	struct hub_coroutine *reader;

	encrypted_shake_hands();
	big.at_once = hub_send(encrypted.client, bytes, BIG, MSG_DONTWAIT);
	hub_close(encrypted.client);
	reader = hub_spawn(read_big, argument);
	hub_join(reader, NULL);
	hub_close(encrypted.server);
	hub_sleep(10 * HUB_MILLISECOND);
	free(bytes);
	return NULL;
}

Test(tls, what_was_taken_is_sent_after_the_close)
{
	in_hub(rest_body, NULL);
	cr_assert_eq(big.wrong, 0);
	cr_assert_eq(big.arrived, big.at_once);
}

/* A big send lets others run. */
static struct {
	long sent;
	bool is_over;
	long turns; /* of another coroutine, before that */
} shared;

static void *
count_turns(void *argument)
{
	while (!shared.is_over && hub_sleep(0) == 0)
		shared.turns++;
	return argument;
}

static void *
drink(void *argument)
{
	static char bytes[65536];

	while (hub_recv(encrypted.server, bytes, sizeof bytes, 0) > 0)
		continue;
	return argument;
}

static void *
turns_body(void *argument)
{
	char *bytes = calloc(8, BIG);
	struct hub_coroutine *counter, *drinker;

	encrypted_shake_hands();
	drinker = hub_spawn(drink, argument);
	counter = hub_spawn(count_turns, argument);
	shared.sent = hub_send(encrypted.client, bytes, 8 * BIG, 0);
	shared.is_over = true;
	hub_join(counter, NULL);
	hub_close(encrypted.client);
	hub_join(drinker, NULL);
	hub_close(encrypted.server);
	free(bytes);
	return NULL;
}

Test(tls, a_big_send_lets_others_run)
{
	in_hub(turns_body, NULL);
	cr_assert_eq(shared.sent, 8 * (long)BIG);
	cr_assert_gt(shared.turns, 3);
}

/* ---- ends, and files ---- */

/* The end is told as often as it is asked for, and said once. */
static void *
twice_body(void *argument)
{
	char byte;

	encrypted_shake_hands();
	trace_call("shutdown", hub_shutdown(encrypted.client, SHUT_WR));
	trace_call("shutdown", hub_shutdown(encrypted.client, SHUT_WR));
	trace_call("recv", hub_recv(encrypted.server, &byte, 1, 0));
	trace_call("recv", hub_recv(encrypted.server, &byte, 1, 0));
	hub_send(encrypted.server, "x", 1, 0);
	trace_call("recv of the other direction", hub_recv(encrypted.client, &byte, 1, 0));
	encrypted_close();
	return argument;
}

Test(tls, ends_are_said_once_and_told_again)
{
	in_hub(twice_body, NULL);
	cr_assert_str_eq(trace_text(),
		"shutdown 0, shutdown 0, recv 0, recv 0, recv of the other direction 1");
}

static void *
file_body(void *argument)
{
	int file = open(encrypted.certificate.file, O_RDONLY | O_CLOEXEC);
	off_t offset = 5;
	char bytes[23] = "";

	encrypted_shake_hands();
	trace_call("sendfile", hub_sendfile(encrypted.client, file, &offset, 22));
	trace_call("offset", offset);
	hub_recv(encrypted.server, bytes, 22, MSG_WAITALL);
	trace_say("'%s'", bytes);
	hub_close(file);
	encrypted_close();
	return argument;
}

Test(tls, files_are_encrypted_too)
{
	in_hub(file_body, NULL);
	cr_assert_str_eq(trace_text(), "sendfile 22, offset 27, 'BEGIN CERTIFICATE-----'");
}
