#include "master/face/client.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A client whose peer is the test; its owner does what a test wants with the line. */
struct scene {
	struct ev_loop *loop;
	struct list clients;
	struct client *client; /* of which on_line told; may be gone since */
	int peer;
	bool answers; /* each line, at once */
	unsigned lines;
	char line[CLIENT_LINE_SIZE];
	/* What the peer has read. */
	char *heard;
	size_t room;
	size_t length;
};

static void
on_line(struct client *client, char *line, void *context)
{
	struct scene *scene = context;

	scene->lines++;
	scene->client = client;
	strcpy(scene->line, line);
	if (scene->answers)
		client_finish(client, NULL, "done");
}

static void
scene_set(struct scene *scene, bool answers)
{
	struct client *client;
	int pair[2];

	*scene = (struct scene){.loop = ev_loop_new(EVFLAG_NOENV), .answers = answers};
	list_init(&scene->clients);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
	scene->peer = pair[0];
	client = client_new(scene->loop, pair[1], on_line, scene);
	cr_assert_not_null(client);
	list_append(&scene->clients, &client->link);
}

static void
send_text(struct scene *scene, const char *text)
{
	cr_assert_eq(send(scene->peer, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
	ev_run(scene->loop, EVRUN_NOWAIT);
}

/* Reads what there is. Returns whether it was the end. */
static bool
hear(struct scene *scene)
{
	ssize_t length;

	do {
		/* Under AddressSanitizer each realloc copies all. */
		if (scene->room < scene->length + 4096 + 1) {
			scene->room = 2 * scene->room + 4096 + 1;
			scene->heard = realloc(scene->heard, scene->room);
		}
		length = recv(scene->peer, scene->heard + scene->length, 4096, MSG_DONTWAIT);
		scene->length += length > 0 ? (size_t)length : 0;
		scene->heard[scene->length] = '\0';
	} while (length > 0);
	return length == 0;
}

static bool
is_gone(const struct scene *scene)
{
	return list_is_empty(&scene->clients);
}

static void
scene_clear(struct scene *scene)
{
	LIST_EACH (link, &scene->clients)
		client_free(CONTAINER_OF(link, struct client, link));
	if (scene->peer != -1)
		close(scene->peer);
	free(scene->heard);
	ev_loop_destroy(scene->loop);
}

Test(client, is_answered_once_its_line_is_whole)
{
	struct scene scene;

	scene_set(&scene, true);
	send_text(&scene, "scale");
	cr_assert_eq(scene.lines, 0);
	cr_assert_not(is_gone(&scene));
	send_text(&scene, " 2x4");
	cr_assert_eq(scene.lines, 0);
	send_text(&scene, "\n");
	cr_assert_eq(scene.lines, 1);
	cr_assert_str_eq(scene.line, "scale 2x4");
	cr_assert(is_gone(&scene));
	cr_assert(hear(&scene));
	cr_assert_str_eq(scene.heard, "+done\n");
	scene_clear(&scene);
}

Test(client, the_longest_line_is_heard_and_a_longer_one_refused)
{
	for (size_t length = CLIENT_LINE_SIZE - 2; length <= CLIENT_LINE_SIZE; length++) {
		char line[CLIENT_LINE_SIZE + 2];
		bool fits = length + 2 <= CLIENT_LINE_SIZE;
		struct scene scene;

		memset(line, 'x', length);
		line[length] = '\0';
		scene_set(&scene, true);
		send_text(&scene, line);
		if (fits)
			send_text(&scene, "\n");
		cr_assert_eq(scene.lines, fits, "%zu", length);
		hear(&scene);
		cr_assert_str_eq(scene.heard, fits ? "+done\n" : "!the line is too long\n");
		cr_assert(is_gone(&scene));
		scene_clear(&scene);
	}
}

Test(client, of_two_lines_at_once_the_first_is_heard)
{
	struct scene scene;

	scene_set(&scene, false);
	send_text(&scene, "drain\nstop\n");
	send_text(&scene, "stop\n");
	cr_assert_eq(scene.lines, 1);
	cr_assert_str_eq(scene.line, "drain");
	client_finish(scene.client, "no", NULL);
	cr_assert(is_gone(&scene));
	hear(&scene);
	cr_assert_str_eq(scene.heard, "!no\n");
	scene_clear(&scene);
}

Test(client, that_sends_on_and_on_after_its_line_is_hung_up_on)
{
	struct scene scene;
	char more[255];

	memset(more, 'x', sizeof more);
	scene_set(&scene, false);
	send_text(&scene, "reload\n");
	for (int sent = 0; sent < 16; sent++) {
		cr_assert_not(is_gone(&scene), "%d", sent);
		cr_assert_eq(send(scene.peer, more, sizeof more, MSG_NOSIGNAL), sizeof more);
		ev_run(scene.loop, EVRUN_NOWAIT);
	}
	for (int sent = 0; sent < 2; sent++) {
		send(scene.peer, more, sizeof more, MSG_NOSIGNAL);
		ev_run(scene.loop, EVRUN_NOWAIT);
	}
	cr_assert(is_gone(&scene));
	scene_clear(&scene);
}

/* It may have been told that the command failed. */
Test(client, that_has_hung_up_is_not_obeyed)
{
	static const char *const sent[] = {"", "sto", "stop\n"};

	for (size_t i = 0; i < sizeof sent / sizeof sent[0]; i++) {
		struct scene scene;

		scene_set(&scene, true);
		cr_assert_eq(
			send(scene.peer, sent[i], strlen(sent[i]), 0), (ssize_t)strlen(sent[i]));
		close(scene.peer);
		scene.peer = -1;
		for (int turn = 0; turn < 3; turn++)
			ev_run(scene.loop, EVRUN_NOWAIT);
		cr_assert_eq(scene.lines, 0, "'%s'", sent[i]);
		cr_assert(is_gone(&scene), "'%s'", sent[i]);
		scene_clear(&scene);
	}
}

Test(client, that_hangs_up_while_it_waits_is_forgotten)
{
	struct scene scene;

	scene_set(&scene, false);
	send_text(&scene, "reload\n");
	cr_assert_eq(scene.lines, 1);
	close(scene.peer);
	scene.peer = -1;
	ev_run(scene.loop, EVRUN_NOWAIT);
	cr_assert(is_gone(&scene));
	scene_clear(&scene);
}

/* As nc -N does, and whoever shuts down what it has written. */
Test(client, that_sends_no_more_is_answered_once_it_has_asked)
{
	struct scene scene;

	scene_set(&scene, false);
	send_text(&scene, "reload\n");
	cr_assert_eq(scene.lines, 1);
	shutdown(scene.peer, SHUT_WR);
	for (int turn = 0; turn < 3; turn++)
		ev_run(scene.loop, EVRUN_NOWAIT);
	cr_assert_not(is_gone(&scene));
	cr_assert_not(ear_is_active(&scene.client->input), "the end would be read again and again");
	client_say(scene.client, '-', "not yet", 7);
	client_flush(scene.client);
	client_finish(scene.client, NULL, "done");
	cr_assert(is_gone(&scene));
	cr_assert(hear(&scene));
	cr_assert_str_eq(scene.heard, "-not yet\n+done\n");
	scene_clear(&scene);
}

Test(client, that_sends_no_more_and_then_goes_is_forgotten_when_it_is_told_something)
{
	struct scene scene;

	scene_set(&scene, false);
	send_text(&scene, "drain\n");
	shutdown(scene.peer, SHUT_WR);
	ev_run(scene.loop, EVRUN_NOWAIT);
	cr_assert_not(is_gone(&scene));
	close(scene.peer);
	scene.peer = -1;
	client_say(scene.client, '-', "not yet", 7);
	client_flush(scene.client);
	cr_assert(is_gone(&scene));
	scene_clear(&scene);
}

Test(client, that_sends_no_more_before_its_line_is_whole_asks_nothing)
{
	struct scene scene;

	scene_set(&scene, true);
	send_text(&scene, "rel");
	shutdown(scene.peer, SHUT_WR);
	ev_run(scene.loop, EVRUN_NOWAIT);
	cr_assert_eq(scene.lines, 0);
	cr_assert(is_gone(&scene));
	scene_clear(&scene);
}

Test(client, is_told_each_line_of_a_text)
{
	struct scene scene;

	scene_set(&scene, false);
	send_text(&scene, "status\n");
	client_say_lines(scene.client, '|', "a\n\nb", 4);
	client_say_lines(scene.client, '|', "c\n", 2);
	client_say_lines(scene.client, '|', "", 0);
	client_flush(scene.client);
	hear(&scene);
	cr_assert_str_eq(scene.heard, "|a\n|\n|b\n|c\n");
	scene_clear(&scene);
}

/* A service says why a command has failed. */
Test(client, has_one_last_line_whatever_its_text)
{
	struct scene scene;

	scene_set(&scene, false);
	send_text(&scene, "keys\n");
	client_say_lines(scene.client, '|', "a\tb", 3);
	client_finish(scene.client, "bad\n+done\x1b[2J\xc3\xa9", NULL);
	hear(&scene);
	cr_assert_str_eq(scene.heard, "|a\tb\n!bad +done [2J\xc3\xa9\n");
	scene_clear(&scene);
	scene_set(&scene, false);
	send_text(&scene, "keys\n");
	client_refuse(scene.client, "what?\r\n");
	hear(&scene);
	cr_assert_str_eq(scene.heard, "?what?  \n");
	scene_clear(&scene);
}

/* Nobody reads, so only so much waits. */
Test(client, whose_answer_is_not_whole_is_not_told_that_all_is_done)
{
	static const char half[] = "!the answer is not whole: the server has no memory for it, or "
				   "it is longer than 16 MiB\n";
	const size_t size = 1 << 20;
	char *text = malloc(size);
	const char *whys[] = {NULL, "no key"};

	memset(text, 'x', size);
	for (int i = 0; i < 2; i++) {
		const char *expected = i == 0 ? half : "!no key\n";
		struct scene scene;

		scene_set(&scene, false);
		send_text(&scene, "keys\n");
		for (int j = 0; j < 17; j++)
			client_say(scene.client, '|', text, size);
		client_finish(scene.client, whys[i], "done");
		while (!hear(&scene))
			ev_run(scene.loop, EVRUN_NOWAIT);
		cr_assert_str_eq(scene.heard + scene.length - strlen(expected), expected);
		scene_clear(&scene);
	}
	free(text);
}

/* Of what was said of its progress, nobody misses a line. */
Test(client, is_told_that_all_is_done_if_only_progress_found_no_room)
{
	const size_t size = (16 << 20) - 1000;
	char *text = malloc(size);
	struct scene scene;

	memset(text, 'x', size);
	scene_set(&scene, false);
	send_text(&scene, "keys\n");
	client_say(scene.client, '|', text, size);
	client_say(scene.client, '-', text, 1000);
	client_finish(scene.client, NULL, "done");
	while (!hear(&scene))
		ev_run(scene.loop, EVRUN_NOWAIT);
	cr_assert_eq(scene.length, 1 + size + 1 + 6);
	cr_assert_str_eq(scene.heard + scene.length - 6, "+done\n");
	scene_clear(&scene);
	free(text);
}

Test(client, a_slow_reader_gets_every_line_and_then_the_end)
{
	const size_t count = 4000;
	struct scene scene;
	size_t lines = 0;
	bool is_end = false;

	scene_set(&scene, false);
	send_text(&scene, "stacks\n");
	for (size_t i = 0; i < count; i++) {
		char line[512];
		int length = snprintf(line, sizeof line, "%zu\n%0400d", i, 0);

		client_say_lines(scene.client, '|', line, (size_t)length);
	}
	client_finish(scene.client, NULL, "all hubs answered");
	cr_assert_not(is_gone(&scene), "a socket does not hold as much");
	for (int turn = 0; turn < 10000 && !is_end; turn++) {
		is_end = hear(&scene);
		ev_run(scene.loop, EVRUN_NOWAIT);
	}
	cr_assert(is_end);
	cr_assert(is_gone(&scene));
	for (const char *at = scene.heard; (at = strchr(at, '\n')) != NULL; at++)
		lines++;
	cr_assert_eq(lines, 2 * count + 1);
	cr_assert_str_eq(scene.heard + scene.length - strlen("+all hubs answered\n"),
		"+all hubs answered\n");
	scene_clear(&scene);
}

/* In ten seconds, which the test does not wait for. */
static bool
has_patience(const struct client *client)
{
	return ev_is_active(&client->patience);
}

Test(client, waits_for_its_line_and_for_its_reader_but_not_for_its_answer)
{
	struct client *client;
	struct scene scene;
	ev_tstamp deadline;

	scene_set(&scene, false);
	client = CONTAINER_OF(scene.clients.next, struct client, link);
	cr_assert(has_patience(client));
	send_text(&scene, "scale 2x4\n");
	cr_assert_not(has_patience(client), "a change may take longer");
	for (int i = 0; i < 40000; i++)
		client_say(client, '-', "not yet; 2 hubs go on accepting", 31);
	client_finish(client, NULL, "done");
	cr_assert(has_patience(client));
	/* As long as it takes to read all: it is no longer by reading slowly. */
	deadline = client->patience.at;
	hear(&scene);
	ev_run(scene.loop, EVRUN_NOWAIT);
	cr_assert_not(is_gone(&scene));
	cr_assert_eq(client->patience.at, deadline);
	ev_invoke(scene.loop, &client->patience, EV_TIMER);
	cr_assert(is_gone(&scene));
	scene_clear(&scene);
}
