#include "master/face/requests.h"

#include <criterion/criterion.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/master/quiet.h"

/* The server's side of the control socket, and a client that has sent its line. */
struct scene {
	struct quiet quiet;
	struct requests requests;
	int client;
	char heard[1024];
};

static void
turn(struct scene *scene)
{
	ev_run(scene->quiet.master.loop, EVRUN_NOWAIT);
}

static int
connect_client_of(struct scene *scene, enum rights rights)
{
	int pair[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
	requests_take(&scene->requests, pair[1], rights);
	return pair[0];
}

static int
connect_client(struct scene *scene)
{
	return connect_client_of(scene, RIGHTS_ALL);
}

static void
scene_set(struct scene *scene, const char *line)
{
	quiet_set(&scene->quiet);
	requests_init(&scene->requests, &scene->quiet.master);
	scene->client = connect_client(scene);
	cr_assert_eq(send(scene->client, line, strlen(line), 0), (ssize_t)strlen(line));
	quiet_lend(&scene->quiet, strncmp(line, "scale", 5) == 0);
	turn(scene);
	if (scene->quiet.master.fleet.serving != NULL)
		quiet_lend(&scene->quiet, false);
}

/* What the client was sent since the last time. */
static const char *
hear(struct scene *scene)
{
	ssize_t length = recv(scene->client, scene->heard, sizeof scene->heard - 1, MSG_DONTWAIT);

	scene->heard[length > 0 ? length : 0] = '\0';
	return scene->heard;
}

static bool
is_at_end(const struct scene *scene)
{
	char byte;

	return recv(scene->client, &byte, 1, MSG_DONTWAIT) == 0;
}

static void
scene_clear(struct scene *scene)
{
	close(scene->client);
	requests_fini(&scene->requests);
	quiet_clear(&scene->quiet);
}

Test(requests, who_asks_for_a_change_hears_of_it_and_of_its_end)
{
	static const struct {
		const char *why;
		const char *heard;
	} ends[] = {{NULL, "+done\n"}, {"a worker died", "!a worker died\n"}};

	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		struct scene scene;

		scene_set(&scene, "scale 1x1\n");
		cr_assert_eq(scene.quiet.master.change, CHANGE_SCALE);
		cr_assert_str_eq(hear(&scene), "");
		ev_invoke(scene.quiet.master.loop, &scene.requests.progress, EV_TIMER);
		cr_assert_str_eq(hear(&scene), "-not yet; 0 hubs go on accepting\n");
		requests_changed(&scene.requests, ends[i].why);
		cr_assert_str_eq(hear(&scene), ends[i].heard);
		cr_assert(is_at_end(&scene));
		scene_clear(&scene);
	}
}

Test(requests, who_drains_is_told_what_is_open_until_the_server_ends)
{
	struct scene scene;

	scene_set(&scene, "drain\n");
	cr_assert_eq(scene.quiet.master.phase, MASTER_DRAINING);
	ev_invoke(scene.quiet.master.loop, &scene.requests.progress, EV_TIMER);
	cr_assert_str_eq(hear(&scene), "-0 connections are open\n");
	requests_changed(&scene.requests, "the server is stopping");
	cr_assert_str_eq(hear(&scene), "", "it asked for no change");
	scene_clear(&scene);
}

Test(requests, a_stop_is_at_once_and_no_failure)
{
	struct scene scene;

	scene_set(&scene, "stop\n");
	cr_assert(scene.quiet.master.is_stopped);
	cr_assert_eq(scene.quiet.master.exit_code, 0);
	scene_clear(&scene);
}

Test(requests, without_a_worker_there_is_nothing_to_dump)
{
	struct scene scene;

	scene_set(&scene, "stacks\n");
	turn(&scene);
	turn(&scene);
	cr_assert_str_eq(hear(&scene), "+all hubs answered\n");
	cr_assert_eq(scene.requests.dump.file, -1);
	scene_clear(&scene);
}

/* As if two hubs had been asked. */
static void
dump_begins(struct scene *scene)
{
	scene_set(scene, "stacks\n");
	ev_timer_stop(scene->quiet.master.loop, &scene->requests.dump.over);
	scene->requests.dump.expected = 2;
	cr_assert_eq(write(scene->requests.dump.file, "one\ntwo\n", 8), 8);
	dump_done(&scene->requests.dump, scene->requests.dump.number);
	cr_assert_str_eq(hear(scene), "");
}

Test(requests, a_dump_is_told_when_all_hubs_have_written)
{
	struct scene scene;

	dump_begins(&scene);
	dump_done(&scene.requests.dump, scene.requests.dump.number - 1);
	cr_assert_str_eq(hear(&scene), "", "that was meant for an earlier one");
	dump_done(&scene.requests.dump, scene.requests.dump.number);
	cr_assert_str_eq(hear(&scene), "|one\n|two\n+all hubs answered\n");
	/* One that comes late is for nobody. */
	dump_done(&scene.requests.dump, scene.requests.dump.number);
	scene_clear(&scene);
}

Test(requests, a_dump_goes_without_hubs_that_hang)
{
	struct scene scene;

	dump_begins(&scene);
	ev_invoke(scene.quiet.master.loop, &scene.requests.dump.over, EV_TIMER);
	cr_assert_str_eq(hear(&scene), "|one\n|two\n!1 of 2 hubs did not answer: they hang, and "
				       "the log has their backtrace\n");
	scene_clear(&scene);
}

Test(requests, a_dump_does_not_wait_for_hubs_that_have_no_file_for_it)
{
	struct scene scene;

	dump_begins(&scene);
	dump_missed(&scene.requests.dump, scene.requests.dump.number - 1, 1);
	cr_assert_str_eq(hear(&scene), "", "that was meant for an earlier one");
	dump_missed(&scene.requests.dump, scene.requests.dump.number, 1);
	cr_assert_str_eq(hear(&scene), "|one\n|two\n!1 of 2 hubs had no file descriptor left "
				       "(raise the limit: ulimit -n, LimitNOFILE=)\n");
	scene_clear(&scene);
}

Test(requests, a_dump_says_apart_who_hangs_and_who_has_no_file)
{
	struct scene scene;

	dump_begins(&scene);
	scene.requests.dump.expected = 4;
	dump_missed(&scene.requests.dump, scene.requests.dump.number, 2);
	ev_invoke(scene.quiet.master.loop, &scene.requests.dump.over, EV_TIMER);
	cr_assert_str_eq(hear(&scene),
		"|one\n|two\n!1 of 4 hubs did not answer: they hang, and the log has their "
		"backtrace; 2 of 4 hubs had no file descriptor left (raise the limit: ulimit -n, "
		"LimitNOFILE=)\n");
	scene_clear(&scene);
}

/* What a client has been sent, and whether it was hung up on. */
static bool
hear_other(int fd, char text[static 256])
{
	size_t length = 0;
	ssize_t got;

	while ((got = recv(fd, text + length, 255 - length, MSG_DONTWAIT)) > 0)
		length += (size_t)got;
	text[length] = '\0';
	return got == 0;
}

#define IDLE 100

Test(requests, whoever_asks_nothing_gives_way_to_whoever_comes)
{
	struct scene scene;
	int idle[IDLE], asking;
	char text[256];

	/* One waits for the end of a change. */
	scene_set(&scene, "scale 1x1\n");
	for (int i = 0; i < IDLE; i++)
		idle[i] = connect_client(&scene);
	asking = connect_client(&scene);
	cr_assert_eq(send(asking, "status\n", 7, 0), 7);
	turn(&scene);
	cr_assert(hear_other(asking, text));
	cr_assert_eq(*text, '|', "%s", text);
	for (int i = 0; i < IDLE; i++) {
		bool is_dropped = hear_other(idle[i], text);

		cr_assert_eq(is_dropped, i < IDLE - 30, "%d", i);
		close(idle[i]);
	}
	requests_changed(&scene.requests, NULL);
	cr_assert_str_eq(hear(&scene), "+done\n", "it was not the one to give way");
	close(asking);
	scene_clear(&scene);
}

/* However many wait, there is a place for those who ask; and the server can be told to end. */
Test(requests, places_are_kept_from_those_that_wait)
{
	struct scene scene;
	int waiting[40], asking;
	char text[256];

	scene_set(&scene, "");
	for (int i = 0; i < 40; i++) {
		waiting[i] = connect_client(&scene);
		cr_assert_eq(send(waiting[i], "stacks\n", 7, 0), 7);
		/* The dump is never over. */
		if (scene.requests.dump.file == -1)
			scene.requests.dump.file = dup(0);
		turn(&scene);
		cr_assert_eq(hear_other(waiting[i], text), i >= 24, "%d", i);
		cr_assert_str_eq(text,
			i >= 24 ? "!too many clients wait for an answer already; try again\n" : "");
	}
	asking = connect_client(&scene);
	cr_assert_eq(send(asking, "status\n", 7, 0), 7);
	turn(&scene);
	cr_assert(hear_other(asking, text));
	cr_assert_eq(*text, '|');
	close(asking);
	asking = connect_client(&scene);
	cr_assert_eq(send(asking, "drain\n", 6, 0), 6);
	turn(&scene);
	cr_assert(hear_other(asking, text));
	cr_assert_str_eq(text, "+the server ends; too many clients wait for that already\n");
	cr_assert_eq(scene.quiet.master.phase, MASTER_DRAINING);
	close(asking);
	for (int i = 0; i < 40; i++)
		close(waiting[i]);
	scene_clear(&scene);
}

Test(requests, at_the_end_all_that_wait_are_told)
{
	static const struct {
		const char *line;
		enum master_phase phase;
		const char *heard;
	} cases[] = {
		{"drain\n", MASTER_DRAINING, "+the server has ended\n"},
		{"stop\n", MASTER_HANDED_OVER, "!another master has taken over; ask again\n"},
		{"scale 1x1\n", MASTER_DRAINING, "!the server has ended\n"},
		{"scale 1x1\n", MASTER_HANDED_OVER, "!another master has taken over; ask again\n"},
		{"sta", MASTER_DRAINING, ""},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct scene scene;

		scene_set(&scene, cases[i].line);
		cr_assert_str_eq(hear(&scene), "");
		scene.quiet.master.phase = cases[i].phase;
		requests_fini(&scene.requests);
		cr_assert_str_eq(hear(&scene), cases[i].heard, "%zu", i);
		cr_assert(is_at_end(&scene));
		scene_clear(&scene);
	}
}

/* The upgrade turned out to have succeeded, and the drain was passed on. */
Test(requests, whoever_drains_is_told_that_another_master_does)
{
	struct scene scene;

	scene_set(&scene, "drain\n");
	scene.quiet.master.phase = MASTER_HANDED_OVER;
	scene.quiet.successor.is_to_drain = true;
	requests_fini(&scene.requests);
	cr_assert_str_eq(hear(&scene), "!another master has taken over, and was told to drain\n");
	scene_clear(&scene);
}

/* Members of the server's group operate it; who ends it should be able to start it. */
Test(requests, whoever_is_of_the_group_alone_does_not_end_the_server)
{
	static const char *const ends[] = {"drain\n", "stop\n"};
	struct scene scene;

	scene_set(&scene, "status\n");
	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		close(scene.client);
		scene.client = connect_client_of(&scene, RIGHTS_OPERATE);
		cr_assert_eq(
			send(scene.client, ends[i], strlen(ends[i]), 0), (ssize_t)strlen(ends[i]));
		turn(&scene);
		cr_assert_str_eq(hear(&scene),
			"!only root and the server's user may end it; members of its group may do "
			"all else\n");
		cr_assert_eq(scene.quiet.master.phase, MASTER_SERVING);
	}
	close(scene.client);
	scene.client = connect_client_of(&scene, RIGHTS_OPERATE);
	cr_assert_eq(send(scene.client, "scale 1x1\n", 10, 0), 10);
	quiet_lend(&scene.quiet, true);
	turn(&scene);
	quiet_lend(&scene.quiet, false);
	cr_assert_str_eq(hear(&scene), "");
	cr_assert_eq(scene.quiet.master.change, CHANGE_SCALE);
	scene_clear(&scene);
}
