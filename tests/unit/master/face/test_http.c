#include "master/face/http.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENTS (3 * HTTP_PLACES)
#define TURNS 200
#define GET "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
#define LARGE ((size_t)16 << 20) /* more than any socket's buffer */

static struct ev_loop *loop;
static struct http *http;
static char *large;
static struct sockaddr_in address = {.sin_family = AF_INET};

static enum MHD_Result
on_request(void *context, struct MHD_Connection *connection, const char *url, const char *method,
	const char *version, const char *data, size_t *data_size, void **state)
{
	bool is_large = strcmp(url, "/large") == 0;
	struct MHD_Response *response = MHD_create_response_from_buffer(
		is_large ? LARGE : 3, is_large ? large : "yes", MHD_RESPMEM_PERSISTENT);
	enum MHD_Result result;

	(void)context, (void)method, (void)version, (void)data, (void)state;
	*data_size = 0;
	result = MHD_queue_response(connection, MHD_HTTP_OK, response);
	MHD_destroy_response(response);
	return result;
}

static void
begin(void)
{
	socklen_t length = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	loop = ev_loop_new(EVFLAG_AUTO);
	large = calloc(1, LARGE);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, length), 0);
	cr_assert_eq(listen(fd, SOMAXCONN), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	http = http_new(loop, fd, on_request, NULL, NULL);
	cr_assert_not_null(http);
	http_open(http);
}

static void
end(void)
{
	http_free(http);
	ev_loop_destroy(loop);
	free(large);
}

TestSuite(http, .init = begin, .fini = end, .timeout = 60);

/* Connects, and says that. */
static int
come(const char *text)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
	cr_assert_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
	return fd;
}

static void
turn(int turns)
{
	while (turns-- > 0)
		ev_run(loop, EVRUN_NOWAIT);
}

/* What a client hears: 'y' an answer, '-' nothing, '.' the end of the connection. */
static char
hears(int fd)
{
	char text[1024];
	ssize_t length = recv(fd, text, sizeof text - 1, MSG_DONTWAIT);

	if (length > 0)
		text[length] = '\0';
	return length > 0                      ? (strstr(text, " 200 ") != NULL ? 'y' : '?')
	       : length < 0 && errno == EAGAIN ? '-'
					       : '.';
}

static void
assert_probe_is_answered(void)
{
	int fd = come(GET);

	turn(TURNS);
	cr_assert_eq(hears(fd), 'y');
	close(fd);
}

Test(http, who_asks_is_answered)
{
	assert_probe_is_answered();
}

/* Clients that do not end what they have begun; each has its own way. */
Test(http, however_many_are_slow_a_probe_is_answered)
{
	static const char *const ways[] = {"", "GET / HT", "GET / HTTP/1.1\r\nHost: x\r\nA: b",
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nx",
		"GET /large HTTP/1.1\r\nHost: x\r\n\r\n"};
	int fds[CLIENTS];

	for (size_t way = 0; way < sizeof ways / sizeof ways[0]; way++) {
		for (int i = 0; i < CLIENTS; i++)
			fds[i] = come(ways[way]);
		turn(TURNS);
		assert_probe_is_answered();
		for (int i = 0; i < CLIENTS; i++)
			close(fds[i]);
	}
}

Test(http, those_who_send_no_more_are_answered_and_need_no_place)
{
	int fds[CLIENTS], answered = 0;

	for (int i = 0; i < CLIENTS; i++) {
		fds[i] = come(i % 2 == 0 ? GET : "GET / HT");
		shutdown(fds[i], SHUT_WR);
		turn(5);
	}
	turn(TURNS);
	for (int i = 0; i < CLIENTS; i++) {
		answered += hears(fds[i]) == 'y';
		close(fds[i]);
	}
	cr_assert_eq(answered, CLIENTS / 2);
	assert_probe_is_answered();
}

Test(http, who_has_to_go_is_told_and_those_who_came_last_stay)
{
	int fds[HTTP_PLACES + 10];

	for (int i = 0; i < HTTP_PLACES + 10; i++)
		fds[i] = come("G");
	turn(TURNS);
	for (int i = 0; i < HTTP_PLACES + 10; i++) {
		cr_assert_eq(hears(fds[i]), i < 10 ? '.' : '-', "client %d", i);
		close(fds[i]);
	}
}

Test(http, a_request_has_its_time_as_a_whole)
{
	int64_t seen = 0, began = clock_now();
	int fd = come("G"), idle;
	char heard = '-';

	turn(TURNS);
	idle = come("");
	/* A letter four times a second, for ever. */
	while (heard == '-' && clock_now() - began < 4 * HTTP_PATIENCE) {
		send(fd, "E", 1, MSG_NOSIGNAL);
		for (int i = 0; i < 25; i++) {
			turn(2);
			usleep(10000);
		}
		seen = clock_now() - began;
		heard = hears(fd);
	}
	cr_assert_eq(heard, '.');
	cr_assert_geq(seen, HTTP_PATIENCE);
	usleep(300000);
	turn(TURNS);
	cr_assert_eq(hears(idle), '.');
	close(fd);
	close(idle);
}

Test(http, when_it_finishes_those_who_are_there_are_answered_and_others_wait)
{
	int there = come(""), late;

	turn(TURNS);
	http_finish(http);
	late = come(GET);
	cr_assert_eq(send(there, GET, strlen(GET), 0), (ssize_t)strlen(GET));
	turn(TURNS);
	cr_assert_eq(hears(there), 'y');
	cr_assert_eq(hears(late), '-');
	/* It is taken back. */
	http_open(http);
	turn(TURNS);
	cr_assert_eq(hears(late), 'y');
	close(there);
	close(late);
}

Test(http, while_it_pauses_nobody_is_answered)
{
	int there = come(""), late;

	turn(TURNS);
	http_pause(http);
	late = come(GET);
	cr_assert_eq(send(there, GET, strlen(GET), 0), (ssize_t)strlen(GET));
	turn(TURNS);
	cr_assert_eq(hears(there), '-');
	cr_assert_eq(hears(late), '-');
	http_open(http);
	turn(TURNS);
	cr_assert_eq(hears(there), 'y');
	cr_assert_eq(hears(late), 'y');
	close(there);
	close(late);
}
