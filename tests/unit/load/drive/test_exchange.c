#include "tests/load/drive/exchange.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "tests/support/in_hub.h"

static struct load load;
static struct requests requests;

/* What a service answers, in two pieces, and what came of it. */
struct scene {
	const char *first;
	const char *then; /* NULL: the connection ends; "": nothing more comes */
	int fds[2];
	char got[64];
	enum answer answer;
	int error;
};

static void
begin(void)
{
	load.requests = &requests;
	load.timeout = 4 * CLOCK_SECOND;
	cr_assert_null(requests_add(&requests, "GET \\{counter}\\n"));
	cr_assert_null(requests_expect(&requests, "got \\{counter}\\n\\{end}"));
	cr_assert_null(reply_form_read("line", &load.reply));
	message_setup(1, MESSAGE_RAW, MESSAGE_FULL, &requests);
}

static void
end(void)
{
	requests_clear(&requests);
}

TestSuite(exchange, .init = begin, .fini = end);

static void *
serve(void *argument)
{
	struct scene *scene = argument;

	hub_recv(scene->fds[1], scene->got, sizeof scene->got - 1, 0);
	hub_send(scene->fds[1], scene->first, strlen(scene->first), 0);
	hub_sleep(CLOCK_MILLISECOND);
	if (scene->then == NULL)
		hub_shutdown(scene->fds[1], SHUT_WR);
	else
		hub_send(scene->fds[1], scene->then, strlen(scene->then), 0);
	return NULL;
}

static void *
play(void *argument)
{
	struct scene *scene = argument;
	struct message message = message_probe(&load, 1, 7, 64);
	struct hub_coroutine *server;
	struct answer_fault fault;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, scene->fds) != 0)
		return NULL;
	hub_adopt(scene->fds[0]);
	hub_adopt(scene->fds[1]);
	server = hub_spawn(serve, scene);
	scene->answer = exchange_message(&load, scene->fds[0], &message, &fault);
	scene->error = errno;
	hub_join(server, NULL);
	hub_close(scene->fds[0]);
	hub_close(scene->fds[1]);
	return NULL;
}

Test(exchange, a_reply_in_pieces_is_judged_as_a_whole)
{
	struct scene scene = {.first = "got ", .then = "7\n"};

	in_hub(play, &scene);
	cr_assert_str_eq(scene.got, "GET 7\n");
	cr_assert_eq(scene.answer, ANSWER_RIGHT);
	scene = (struct scene){.first = "got ", .then = "8\n"};
	in_hub(play, &scene);
	cr_assert_eq(scene.answer, ANSWER_WRONG);
}

Test(exchange, a_reply_that_stays_short_goes_on)
{
	struct scene scene = {.first = "got ", .then = NULL};

	in_hub(play, &scene);
	cr_assert_eq(scene.answer, ANSWER_GOES_ON);
	cr_assert_eq(scene.error, 0);
	load.timeout = CLOCK_SECOND / 5;
	scene = (struct scene){.first = "got ", .then = ""};
	in_hub(play, &scene);
	cr_assert_eq(scene.answer, ANSWER_GOES_ON);
	cr_assert_eq(scene.error, ETIMEDOUT);
}
