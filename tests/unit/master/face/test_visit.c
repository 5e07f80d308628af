#include "master/face/visit.h"

#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "master/face/ask.h"
#include "tests/unit/master/quiet.h"
#include "worker/reply.h"

static const struct hubbub_command keys[] = {
	{.name = "keys", .help = "", .page = "application/json"}, {0}};
static const struct hubbub_service service = {
	.name = "visited", .version = "1.0", .commands = keys};

/* A master with one worker, which is a record with a channel, and whose other end the test has. */
static struct quiet quiet;
static struct http *http;
static struct sockaddr_in address = {.sin_family = AF_INET};
static int worker;

static enum MHD_Result
queue(struct MHD_Connection *connection, const struct visit *visit)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(visit->length, visit->text, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result result;

	MHD_add_response_header(response, "Content-Type", visit->type);
	result = MHD_queue_response(connection, visit->code, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result
on_request(void *context, struct MHD_Connection *connection, const char *url, const char *method,
	const char *version, const char *data, size_t *data_size, void **state)
{
	struct visit *visit = *state;

	(void)context, (void)url, (void)method, (void)version, (void)data, (void)data_size;
	if (visit == NULL)
		*state = visit = visit_new(&quiet.master, http, connection, keys);
	return visit->code != 0 ? queue(connection, visit) : MHD_YES;
}

static void
on_completed(void *context, struct MHD_Connection *connection, void **state,
	enum MHD_RequestTerminationCode how)
{
	(void)context, (void)connection, (void)how;
	visit_free(*state);
}

static void
begin(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), pair[2];
	socklen_t length = sizeof address;

	quiet_set(&quiet);
	quiet.master.service = &service;
	quiet_lend(&quiet, true);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	quiet.slot.generation = quiet.master.fleet.serving;
	quiet.slot.hubs = &quiet.hub;
	quiet.slot.channel = pair[0];
	worker = pair[1];
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, length), 0);
	cr_assert_eq(listen(fd, 16), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	http = http_new(quiet.master.loop, fd, on_request, on_completed, NULL);
	cr_assert_not_null(http);
	http_open(http);
}

static void
end(void)
{
	ask_drop_all(&quiet.master);
	http_free(http);
	close(quiet.slot.channel);
	close(worker);
	quiet_lend(&quiet, false);
	quiet_clear(&quiet);
}

TestSuite(visit, .init = begin, .fini = end, .timeout = 60);

static void
turn(void)
{
	for (int turns = 0; turns < 100; turns++)
		ev_run(quiet.master.loop, EVRUN_NOWAIT);
}

/* Asks for the page with that query. */
static int
ask(const char *query)
{
	char request[256];
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int length = snprintf(request, sizeof request,
		"GET /keys%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", query);

	cr_assert_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
	cr_assert_eq(send(fd, request, (size_t)length, 0), length);
	turn();
	return fd;
}

/* What has come, or ""; static until the next call. Closes fd. */
static const char *
heard(int fd)
{
	static char text[4096];
	ssize_t length = recv(fd, text, sizeof text - 1, MSG_DONTWAIT);

	text[length > 0 ? length : 0] = '\0';
	close(fd);
	return text;
}

/* Answers as the worker, which must have been asked with these arguments. */
static void
answer(const char *arguments, size_t size, const char *output, const char *why)
{
	struct reply_end record = {.length = (uint32_t)strlen(output), .has_failed = why != NULL};
	struct channel_message message;
	char got[64];
	int socket;

	cr_assert_eq(channel_receive(worker, &message, &socket), 1);
	cr_assert_eq(recv(socket, got, sizeof got, 0), (ssize_t)size);
	cr_assert_arr_eq(got, arguments, size);
	snprintf(record.why, sizeof record.why, "%s", why != NULL ? why : "");
	send(socket, output, strlen(output), 0);
	send(socket, &record, sizeof record, 0);
	close(socket);
	turn();
}

static bool
has(const char *text, const char *part)
{
	return strstr(text, part) != NULL;
}

Test(visit, is_answered_by_the_worker_with_the_pages_type)
{
	int fd = ask("?a=b&c%20d");
	const char *text;

	answer("a=b\0c d", 8, "[1]", NULL);
	text = heard(fd);
	cr_assert(has(text, "HTTP/1.1 200 "), "%s", text);
	cr_assert(has(text, "Content-Type: application/json\r\n"), "%s", text);
	cr_assert(has(text, "\r\n\r\n[1]"), "%s", text);
}

Test(visit, of_a_command_that_fails_says_why)
{
	int fd = ask("?x");
	const char *text;

	answer("x", 2, "half", "no key");
	text = heard(fd);
	cr_assert(has(text, "HTTP/1.1 500 "), "%s", text);
	cr_assert(has(text, "Content-Type: text/plain; charset=utf-8\r\n"), "%s", text);
	cr_assert(has(text, "\r\n\r\nno key\n"), "%s", text);
}

Test(visit, that_cannot_be_asked_is_answered_at_once)
{
	const char *text = heard(ask("?a%00b"));

	cr_assert(has(text, "HTTP/1.1 400 "), "%s", text);
	quiet.slot.state = SUPERVISION_STARTING;
	text = heard(ask(""));
	cr_assert(has(text, "HTTP/1.1 503 "), "%s", text);
	cr_assert(has(text, "\r\n\r\nno worker is ready to answer\n"), "%s", text);
}

static void
ignore(const struct ask_answer *answer, void *context)
{
	(void)answer, (void)context;
}

Test(visit, leaves_places_for_operators)
{
	int fds[ASK_MAX_PAGES];
	const char *text, *why;

	for (int i = 0; i < ASK_MAX_PAGES; i++)
		fds[i] = ask("?x");
	text = heard(ask("?x"));
	cr_assert(has(text, "HTTP/1.1 503 "), "%s", text);
	cr_assert(has(text, "\r\n\r\ntoo many commands"), "%s", text);
	for (int i = 0; i < 3; i++)
		cr_assert_not_null(
			ask_begin(&quiet.master, ASK_MAX, keys, "", 0, ignore, NULL, &why), "%s",
			why);
	for (int i = 0; i < ASK_MAX_PAGES; i++)
		close(fds[i]);
}

Test(visit, is_over_with_the_server)
{
	int fd = ask("");
	const char *text;

	ask_drop_all(&quiet.master);
	turn();
	text = heard(fd);
	cr_assert(has(text, "HTTP/1.1 502 "), "%s", text);
	cr_assert(has(text, "\r\n\r\nthe server has ended\n"), "%s", text);
}

/* It goes on where nobody waits for it. */
Test(visit, does_not_mind_a_client_that_has_gone)
{
	int fd = ask("?x");

	close(fd);
	turn();
	answer("x", 2, "late", NULL);
	fd = ask("?y");
	answer("y", 2, "[2]", NULL);
	cr_assert(has(heard(fd), "\r\n\r\n[2]"));
}

/* A server that is paused answers when it goes on. */
Test(visit, waits_while_the_server_is_paused)
{
	int fd = ask("?x");
	char byte;

	http_pause(http);
	answer("x", 2, "[1]", NULL);
	cr_assert_eq(recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK), -1);
	http_open(http);
	turn();
	cr_assert(has(heard(fd), "\r\n\r\n[1]"));
}
