/* What the access log says of connections that end in each way. */
#include "worker/access.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hub/base/log.h"
#include "hub/io/opening.h"
#include "tests/support/client.h"
#include "tests/support/complaint.h"
#include "tests/support/in_hub.h"
#include "worker/heritage.h"

/* One connection, and how it ends. */
static struct {
	int ends[2];
	bool is_unix;
	bool peer_ends; /* its output, at once */
	bool is_refused;
	bool closes;
	bool leaves_input; /* all but a byte */
	bool is_stuck;     /* the peer receives nothing of what it is sent */
	bool is_reset;     /* by the peer, then */
	uint64_t note;
	uint64_t written;
} connection;

static struct worker_heritage heritage;

static void
connect_tcp(int ends[2])
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t length = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	bind(listener, (struct sockaddr *)&address, sizeof address);
	listen(listener, 1);
	getsockname(listener, (struct sockaddr *)&address, &length);
	ends[1] = client_connect(ntohs(address.sin_port));
	ends[0] = accept(listener, NULL, NULL);
	close(listener);
}

static void
leave_note(const struct hub_connection *visited, void *unused)
{
	(void)unused;
	visited->mark->note = connection.note;
}

/* Sends until the kernel takes no more. */
static void
fill(int client)
{
	static const char bytes[65536];
	ssize_t sent;

	while ((sent = hub_send(client, bytes, sizeof bytes, MSG_DONTWAIT)) > 0)
		connection.written += (uint64_t)sent;
	hub_shutdown(client, SHUT_WR);
}

static void
reset(void)
{
	struct linger at_once = {1, 0};

	setsockopt(connection.ends[1], SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	close(connection.ends[1]);
	connection.ends[1] = -1;
}

/* Receives all that has been sent, and answers three bytes. */
static void
serve(int client, void *server)
{
	struct fd_opening opening = fd_opening(client);
	struct access access;
	char bytes[16];

	access_begin(&access, client);
	hub_recv(client, bytes, connection.leaves_input ? 1 : sizeof bytes, 0);
	connection.written = (uint64_t)hub_send(client, "abc", 3, 0);
	if (connection.is_stuck)
		fill(client);
	if (connection.is_reset)
		reset();
	hub_server_visit(*(struct hub_server **)server, leave_note, NULL);
	if (connection.closes)
		hub_close(client);
	access_look(&access, client, &opening, connection.is_refused);
	access_log(&access, client, &opening, &heritage);
}

static void *
body(void *unused)
{
	struct hub_server *server = hub_stream_server_new(-1, serve, &server, NULL);

	if (connection.is_unix)
		socketpair(AF_UNIX, SOCK_STREAM, 0, connection.ends);
	else
		connect_tcp(connection.ends);
	send(connection.ends[1], "12345", 5, 0);
	if (connection.peer_ends)
		shutdown(connection.ends[1], SHUT_WR);
	hub_server_serve(server, connection.ends[0]);
	hub_server_wait(server);
	hub_server_close(server);
	hub_server_free(server);
	if (connection.ends[1] != -1)
		close(connection.ends[1]);
	return unused;
}

/* The line, behind the listener's address, with the client's and its time blanked. */
static const char *
line(void)
{
	static char found[256];
	const char *text, *rest, *client;

	complaint_listen();
	in_hub(body, NULL);
	text = complaint_heard();
	rest = strstr(text, "connection listener=");
	cr_assert_not_null(rest, "%s", text);
	rest += strcspn(rest, "=") + 1;
	rest += strcspn(rest, " ") + 1;
	client = strstr(rest, "seconds=0.");
	cr_assert_not_null(client, "%s", text);
	snprintf(found, sizeof found, "%.*s%.*s", (int)(client - rest), rest,
		(int)strcspn(client + 14, "\n"), client + 14);
	return found;
}

Test(access, a_peer_ends_its_output)
{
	connection.peer_ends = true;
	cr_expect_eq(strncmp(line(), "received=5 sent=3 ended_by=peer client=127.0.0.1:", 49), 0);
}

Test(access, a_service_returns)
{
	cr_expect_eq(strncmp(line(), "received=5 sent=3 ended_by=service client=", 42), 0);
}

Test(access, a_service_closes_and_nothing_is_known_any_more)
{
	connection.closes = true;
	cr_expect_eq(strncmp(line(), "ended_by=service client=127.0.0.1:", 34), 0);
}

Test(access, a_client_is_refused)
{
	connection.is_refused = true;
	cr_expect_eq(strncmp(line(), "received=5 sent=3 ended_by=refused client=", 42), 0);
}

Test(access, what_the_worker_does_counts)
{
	connection.peer_ends = true;
	connection.note = ACCESS_IDLE_TIMEOUT;
	cr_expect_eq(strncmp(line(), "received=5 sent=3 ended_by=\"idle timeout\" ", 42), 0);
}

Test(access, bytes_of_a_unix_socket_are_counted)
{
	connection.is_unix = connection.peer_ends = true;
	cr_expect_str_eq(line(), "received=5 sent=3 ended_by=peer client=unix");
}

Test(access, what_a_unix_socket_has_and_the_service_has_not_received_counts)
{
	connection.is_unix = connection.leaves_input = true;
	cr_expect_str_eq(line(), "received=5 sent=3 ended_by=service client=unix");
}

Test(access, a_service_closes_a_unix_socket_and_nothing_is_known_any_more)
{
	connection.is_unix = connection.closes = true;
	cr_expect_str_eq(line(), "ended_by=service client=unix");
}

/* Of a connection whose output is full. */
static uint64_t
read_sent(void)
{
	const char *sent;

	connection.is_stuck = true;
	sent = strstr(line(), "sent=");
	cr_assert_not_null(sent);
	return strtoull(sent + 5, NULL, 10);
}

Test(access, what_the_kernel_has_yet_to_send_counts)
{
	uint64_t sent = read_sent();

	cr_expect_eq(sent, connection.written);
}

Test(access, what_a_reset_has_dropped_was_not_sent)
{
	uint64_t sent;

	connection.is_reset = true;
	sent = read_sent();
	cr_expect_gt(sent, 0);
	cr_expect_lt(sent, connection.written);
}

Test(access, what_a_write_timeout_drops_was_not_sent)
{
	uint64_t sent;

	connection.note = ACCESS_WRITE_TIMEOUT;
	sent = read_sent();
	cr_expect_gt(sent, 0);
	cr_expect_lt(sent, connection.written);
}

/* The file of its own. */
static int
open_file(const char *path, int flags)
{
	int file = open(path, flags | O_CLOEXEC, 0600);

	cr_assert_gt(file, 2);
	return file;
}

/* Whatever level is logged; in the log itself there is nothing then. */
Test(access, a_line_goes_to_a_file_of_its_own)
{
	char path[64], text[256] = "";
	int file, other;

	snprintf(path, sizeof path, "/tmp/hubbub-access.%d", (int)getpid());
	file = open_file(path, O_RDWR | O_CREAT | O_APPEND);
	heritage.settings.access_file = file;
	log_setup("store", LOG_ERROR, LOG_TEXT);
	complaint_listen();
	in_hub(body, NULL);
	/* What is truncated is added to. */
	cr_expect_gt(pread(file, text, sizeof text - 1, 0), 0);
	cr_expect_eq(ftruncate(file, 0), 0);
	in_hub(body, NULL);
	cr_expect_gt(pread(file, text, sizeof text - 1, 0), 0);
	cr_expect_not_null(strstr(text, "Z info    store["), "%s", text);
	cr_expect_not_null(strstr(text, "]: connection listener=127.0.0.1:"), "%s", text);
	cr_expect_eq(text[strlen(text) - 1], '\n');
	/* The master has opened another. */
	other = open_file("/dev/null", O_WRONLY);
	cr_expect_eq(ftruncate(file, 0), 0);
	cr_expect_not(access_reopen(&heritage, -1));
	cr_expect(access_reopen(&heritage, other));
	in_hub(body, NULL);
	cr_expect_str_eq(complaint_heard(), "");
	close(other);
	other = open_file(path, O_RDONLY);
	cr_expect_eq(read(other, text, sizeof text), 0);
	close(other);
	close(file);
	unlink(path);
}

Test(access, a_line_for_a_full_disk_is_lost_and_counted)
{
	uint64_t lost = 0;
	int counters;

	heritage.settings.access_file = open_file("/dev/full", O_WRONLY);
	heritage.counters = counters_new(&counters);
	log_count_lost(&lost);
	complaint_listen();
	in_hub(body, NULL);
	cr_expect_not_null(strstr(complaint_heard(),
		"cannot write to the access log: No space left on device; its lines are lost, and "
		"counted"));
	cr_expect_eq(lost, 1);
	log_count_lost(NULL);
	close(heritage.settings.access_file);
}
