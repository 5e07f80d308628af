#include "worker/reply.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hub/io/stream.h"
#include "tests/support/in_hub.h"
#include "worker/thread.h"

static const char *
say(struct hub_stream *output, char **arguments, void *context)
{
	hub_stream_printf(output, "%s", (const char *)context);
	for (; *arguments != NULL; arguments++)
		hub_stream_printf(output, " <%s>", *arguments);
	return NULL;
}

static const char *
fail(struct hub_stream *output, char **arguments, void *context)
{
	(void)arguments, (void)context;
	hub_stream_printf(output, "half");
	return hubbub_why("no %s", "key");
}

static const char *
much(struct hub_stream *output, char **arguments, void *context)
{
	static char page[4096];

	(void)context;
	for (long left = atol(arguments[0]); left > 0; left -= (long)sizeof page)
		hub_stream_write(
			output, page, left < (long)sizeof page ? (size_t)left : sizeof page);
	return NULL;
}

static const char *
rest(struct hub_stream *output, char **arguments, void *context)
{
	(void)output, (void)arguments, (void)context;
	return hub_sleep(HUB_FOREVER) == 0 ? NULL : strerrorname_np(errno);
}

/* Does not look whether what it prints is printed. */
static const char *
rest_and_print(struct hub_stream *output, char **arguments, void *context)
{
	(void)arguments, (void)context;
	hub_stream_printf(output, "half");
	hub_sleep(HUB_FOREVER);
	hub_stream_printf(output, " and half");
	return NULL;
}

/* Until it is told to stop. */
static const char *
flood(struct hub_stream *output, char **arguments, void *context)
{
	static char page[4096];

	(void)arguments, (void)context;
	while (hub_stream_write(output, page, sizeof page) > 0)
		continue;
	return strerrorname_np(errno);
}

static const char *
refuse(struct hub_stream *output, char **arguments, void *context)
{
	(void)output, (void)arguments, (void)context;
	return hubbub_bad_usage("no %s", "KEY");
}

static const char *
fail_without_a_text(struct hub_stream *output, char **arguments, void *context)
{
	(void)output, (void)arguments, (void)context;
	return "";
}

static char greeting[] = "hello";

static const struct hubbub_command commands[] = {{.name = "say", .run = say},
	{.name = "fail", .run = fail}, {.name = "much", .run = much}, {.name = "rest", .run = rest},
	{.name = "rest_and_print", .run = rest_and_print}, {.name = "flood", .run = flood},
	{.name = "refuse", .run = refuse}, {.name = "mute", .run = fail_without_a_text}, {0}};

/* What is asked, what the master does meanwhile, and what it gets. */
struct scene {
	int64_t number;
	const char *arguments;
	size_t size;
	bool kills, hangs_up;
	size_t length;
	int64_t took;
	struct reply_end end;
	char output[64];
};

/* Reads to the end, and takes apart what has come. */
static void
hear(struct scene *scene, int socket)
{
	static char bytes[3 << 20];
	size_t length = 0;
	ssize_t got;

	while (hub_wait_fd(socket, POLLIN) >= 0 &&
		(got = recv(socket, bytes + length, sizeof bytes - length, MSG_DONTWAIT)) > 0)
		length += (size_t)got;
	scene->length = length;
	if (length < sizeof scene->end)
		return;
	scene->length -= sizeof scene->end;
	memcpy(&scene->end, bytes + scene->length, sizeof scene->end);
	snprintf(scene->output, sizeof scene->output, "%.*s", (int)scene->length, bytes);
}

static void *
body(void *argument)
{
	static struct worker_heritage heritage;
	static struct worker_thread thread;
	struct scene *scene = argument;
	int64_t begun = hub_now();
	int pair[2];

	heritage = (struct worker_heritage){.commands = commands, .context = greeting};
	thread = (struct worker_thread){.heritage = &heritage, .mailbox = hub_mailbox()};
	hub_pool_init(&thread.pool, 0);
	socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair);
	send(pair[0], scene->arguments, scene->size, 0);
	shutdown(pair[0], SHUT_WR);
	reply_start(&thread, scene->number, pair[1]);
	if (scene->kills) {
		hub_sleep(HUB_MILLISECOND);
		hub_pool_kill(&thread.pool);
	}
	if (!scene->hangs_up)
		hear(scene, pair[0]);
	hub_close(pair[0]);
	hub_pool_join(&thread.pool);
	scene->took = hub_now() - begun;
	return NULL;
}

static void
play(struct scene *scene)
{
	in_hub(body, scene);
}

Test(reply, a_command_gets_its_arguments_and_its_output_is_sent, .timeout = 60)
{
	static const struct {
		const char *arguments;
		size_t size;
		const char *output;
	} cases[] = {{"", 0, "hello"}, {"a\0b c\0", 6, "hello <a> <b c>"},
		{"\0\0", 2, "hello <> <>"}, {"\xff\n%\0", 4, "hello <\xff\n%>"}};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct scene scene = {.arguments = cases[i].arguments, .size = cases[i].size};

		play(&scene);
		cr_assert_str_eq(scene.output, cases[i].output);
		cr_assert_eq(scene.end.length, strlen(cases[i].output));
		cr_assert_eq(scene.end.has_failed, 0);
		cr_assert_str_eq(scene.end.why, "");
	}
}

/* As many as may be, of as many bytes as may be. */
Test(reply, all_arguments_that_fit_are_read, .timeout = 60)
{
	static char bytes[REPLY_ARGUMENTS_SIZE];
	struct scene scene = {.arguments = bytes, .size = sizeof bytes};

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = i % (sizeof bytes / REPLY_ARGUMENTS_MAX) == 63 ? '\0' : 'x';
	play(&scene);
	cr_assert_eq(scene.end.has_failed, 0);
	cr_assert_eq(scene.end.length, 5 + REPLY_ARGUMENTS_MAX * (63 + 3));
}

Test(reply, one_that_fails_says_why_behind_its_output, .timeout = 60)
{
	struct scene scene = {.number = 1};

	play(&scene);
	cr_assert_str_eq(scene.output, "half");
	cr_assert_eq(scene.end.has_failed, 1);
	cr_assert_str_eq(scene.end.why, "no key");
	cr_assert_eq(scene.end.is_bad_usage, 0);
}

Test(reply, one_that_fails_without_a_text_has_failed_as_a_hook_has, .timeout = 60)
{
	struct scene scene = {.number = 7};

	play(&scene);
	cr_assert_eq(scene.end.has_failed, 1);
	cr_assert_str_eq(scene.end.why, "it gives no reason");
}

Test(reply, one_that_refuses_its_arguments_says_so, .timeout = 60)
{
	struct scene scene = {.number = 6};

	play(&scene);
	cr_assert_eq(scene.end.has_failed, 1);
	cr_assert_eq(scene.end.is_bad_usage, 1);
	cr_assert_str_eq(scene.end.why, "no KEY");
}

Test(reply, output_has_a_limit, .timeout = 60)
{
	struct scene most = {.number = 2, .arguments = "1048576", .size = 8};
	struct scene more = {.number = 2, .arguments = "1048577", .size = 8};

	play(&most);
	cr_assert_eq(most.length, REPLY_MOST);
	cr_assert_eq(most.end.has_failed, 0);
	play(&more);
	cr_assert_eq(more.length, 0);
	cr_assert_str_eq(more.end.why, "its output is longer than 1 MiB");
}

Test(reply, one_that_writes_without_end_is_told_at_the_limit, .timeout = 60)
{
	struct scene scene = {.number = 5};

	play(&scene);
	cr_assert_eq(scene.length, 0);
	cr_assert_str_eq(scene.end.why, "its output is longer than 1 MiB");
}

Test(reply, one_that_takes_too_long_is_interrupted, .timeout = 60)
{
	struct scene scene = {.number = 3};

	play(&scene);
	cr_assert_str_eq(scene.end.why, "ETIMEDOUT");
	cr_assert_geq(scene.took, REPLY_TIME);
}

Test(reply, one_that_is_killed_with_its_hub_still_answers, .timeout = 60)
{
	struct scene scene = {.number = 3, .kills = true};

	play(&scene);
	cr_assert_str_eq(scene.end.why, "ECANCELED");
	cr_assert_lt(scene.took, REPLY_TIME);
}

Test(reply, half_an_answer_of_one_that_has_noticed_nothing_is_a_failure, .timeout = 60)
{
	struct scene late = {.number = 4}, killed = {.number = 4, .kills = true};

	play(&late);
	cr_assert_str_eq(late.output, "half");
	cr_assert_eq(late.end.has_failed, 1);
	cr_assert_str_eq(late.end.why, "it took longer than 4 s");
	play(&killed);
	cr_assert_eq(killed.end.has_failed, 1);
	cr_assert_str_eq(killed.end.why, "its worker ends");
}

/* The output does not fit into the socket, and nobody takes it. */
Test(reply, a_master_that_hangs_up_ends_it, .timeout = 60)
{
	struct scene scene = {.number = 2, .arguments = "1048576", .size = 8, .hangs_up = true};

	play(&scene);
	cr_assert_lt(scene.took, REPLY_TIME);
}

/* in_hub sees that the socket was closed. */
Test(reply, there_is_none_to_an_unknown_command, .timeout = 60)
{
	static const int64_t numbers[] = {sizeof commands / sizeof *commands - 1, -1, INT64_MAX};

	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		struct scene scene = {.number = numbers[i], .length = 1};

		play(&scene);
		cr_assert_eq(scene.length, 0);
	}
}
