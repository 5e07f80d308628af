#include "master/face/agent.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <ev.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/master/scene.h"

static struct scene scene;
static struct agent *agent;
static struct sockaddr_in address = {.sin_family = AF_INET};

static void
begin(void)
{
	socklen_t length = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	scene_begin(&scene);
	scene.master.loop = ev_loop_new(EVFLAG_AUTO);
	scene.slot.state = SUPERVISION_READY;
	scene.slot.capacity = 10;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, length), 0);
	cr_assert_eq(listen(fd, 64), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	agent = agent_new(&scene.master, fd);
	cr_assert_not_null(agent);
}

static void
end(void)
{
	agent_stop(agent);
	ev_loop_destroy(scene.master.loop);
	scene_end(&scene);
}

TestSuite(agent, .init = begin, .fini = end, .timeout = 20);

static int
ask(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	/* On loopback the handshake is done when it returns. */
	if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0 && errno != EINPROGRESS)
		cr_assert_fail("connect: %s", strerror(errno));
	return fd;
}

static void
turn(void)
{
	ev_run(scene.master.loop, EVRUN_NOWAIT);
}

/* All that came, up to the end of the connection; "" if nobody has answered. */
static const char *
answer(int fd)
{
	static char text[64];
	size_t length = 0;
	ssize_t part;

	while ((part = recv(fd, text + length, sizeof text - 1 - length, 0)) > 0)
		length += (size_t)part;
	text[length] = '\0';
	if (part == -1 && errno != EAGAIN)
		strcpy(text, "(reset)");
	close(fd);
	return text;
}

static const char *
asked(void)
{
	int fd = ask();

	turn();
	return answer(fd);
}

Test(agent, the_share_is_what_is_idle_in_steps_of_ten_and_never_nothing)
{
	static const struct {
		double busy;
		const char *line;
	} cases[] = {{0, "ready up 100%\n"}, {0.05, "ready up 90%\n"}, {0.5, "ready up 50%\n"},
		{0.501, "ready up 40%\n"}, {0.89, "ready up 10%\n"}, {0.99, "ready up 10%\n"},
		{1, "ready up 10%\n"}};

	agent_open(agent);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		scene.hub.busy = cases[i].busy;
		cr_assert_str_eq(asked(), cases[i].line, "%g", cases[i].busy);
	}
}

Test(agent, a_full_server_wants_none)
{
	agent_open(agent);
	scene.slot.rows->opened = 9;
	cr_assert_str_eq(asked(), "ready up 10%\n");
	scene.slot.rows->opened = 10;
	cr_assert_str_eq(asked(), "ready up 0%\n");
	scene.slot.rows->closed = 1;
	cr_assert_str_eq(asked(), "ready up 10%\n");
	scene.generation.config.max_connections = 5;
	cr_assert_str_eq(asked(), "ready up 0%\n");
	/* Files are the limit: more is asked for than they allow. */
	scene.generation.config.max_connections = 1000;
	cr_assert_str_eq(asked(), "ready up 10%\n");
	scene.slot.rows->opened = 11;
	cr_assert_str_eq(asked(), "ready up 0%\n");
}

Test(agent, the_fuller_the_less_it_wants_and_a_few_make_no_difference)
{
	static const struct {
		uint64_t open;
		double busy;
		const char *line;
	} cases[] = {{0, 0, "ready up 100%\n"}, {1, 0, "ready up 100%\n"},
		{99, 0, "ready up 100%\n"}, {100, 0, "ready up 90%\n"}, {500, 0, "ready up 50%\n"},
		{500, 0.3, "ready up 50%\n"}, {500, 0.8, "ready up 20%\n"},
		{999, 0, "ready up 10%\n"}, {1000, 0, "ready up 0%\n"}};

	agent_open(agent);
	scene.slot.capacity = 2000;
	scene.generation.config.max_connections = 1000;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		scene.slot.rows->opened = cases[i].open;
		scene.hub.busy = cases[i].busy;
		cr_assert_str_eq(asked(), cases[i].line, "%lu", (unsigned long)cases[i].open);
	}
}

Test(agent, each_phase_has_its_word)
{
	static const char *const lines[MASTER_PHASE_MAX] = {
		[MASTER_STARTING] = "drain\n",
		[MASTER_SERVING] = "ready up 100%\n",
		[MASTER_DELAYING] = "drain\n",
		[MASTER_DRAINING] = "drain\n",
		[MASTER_HANDED_OVER] = "drain\n",
	};

	agent_open(agent);
	for (int phase = 0; phase < MASTER_PHASE_MAX; phase++) {
		scene.master.phase = phase;
		cr_assert_str_eq(asked(), lines[phase], "phase %d", phase);
	}
}

Test(agent, without_a_worker_it_is_down)
{
	agent_open(agent);
	scene.occupant.slot = NULL;
	cr_assert_str_eq(asked(), "down\n");
}

Test(agent, when_all_hubs_hang_it_is_down)
{
	agent_open(agent);
	scene.hub.is_hung = true;
	scene.hub.silent = FLEET_LIFE - 1;
	cr_assert_str_eq(asked(), "ready up 10%\n", "it has no time");
	scene.hub.silent = FLEET_LIFE;
	cr_assert_str_eq(asked(), "down\n");
}

Test(agent, what_is_asked_is_read_so_that_the_answer_is_no_reset)
{
	int fd = ask();

	agent_open(agent);
	cr_assert_eq(send(fd, "any question\n", 13, 0), 13);
	turn();
	cr_assert_str_eq(answer(fd), "ready up 100%\n");
}

Test(agent, who_streams_into_it_gets_no_more_than_its_turn)
{
	static char much[1 << 16];
	int fd = ask(), other, turns = 0;
	ssize_t sent = 0;

	agent_open(agent);
	turn();
	/* The client has always more to say than one turn takes. */
	for (; turns < 10 && sent != -1; turns++) {
		sent = send(fd, much, sizeof much, MSG_NOSIGNAL);
		turn();
	}
	other = ask();
	turn();
	cr_assert_str_eq(answer(other), "ready up 100%\n");
	while (sent != -1 || errno == EAGAIN) {
		sent = send(fd, much, sizeof much, MSG_NOSIGNAL);
		turn();
		cr_assert_lt(++turns, 1000, "it is listened to for ever");
	}
	close(fd);
}

Test(agent, clients_that_stay_keep_nobody_out)
{
	int fds[100];
	char byte;

	agent_open(agent);
	for (int i = 0; i < 100; i++) {
		fds[i] = ask();
		turn();
		cr_assert_eq(recv(fds[i], &byte, 1, 0), 1, "client %d", i);
	}
	for (int i = 0; i < 100; i++)
		close(fds[i]);
}

Test(agent, whoever_waits_is_answered_in_turns_of_the_loop)
{
	int fds[40], left = 40;

	agent_open(agent);
	for (int i = 0; i < 40; i++)
		fds[i] = ask();
	for (int turns = 0; turns < 3; turns++)
		turn();
	for (int i = 0; i < 40; i++)
		left -= strcmp(answer(fds[i]), "ready up 100%\n") == 0;
	cr_assert_eq(left, 0);
}

Test(agent, while_it_pauses_who_comes_waits)
{
	int fd = ask();
	char byte;

	turn();
	cr_assert_eq(recv(fd, &byte, 1, 0), -1, "it was not opened");
	cr_assert_eq(errno, EAGAIN);
	agent_open(agent);
	turn();
	cr_assert_str_eq(answer(fd), "ready up 100%\n");
	agent_pause(agent);
	fd = ask();
	turn();
	cr_assert_eq(recv(fd, &byte, 1, 0), -1);
	cr_assert_eq(errno, EAGAIN);
	agent_open(agent);
	turn();
	cr_assert_str_eq(answer(fd), "ready up 100%\n");
}

Test(agent, without_files_it_does_not_spin_and_answers_later)
{
	struct rlimit limit = {0, 4096};
	int fd = ask();
	char byte;

	agent_open(agent);
	limit.rlim_cur = (rlim_t)fd + 1;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	turn();
	limit.rlim_cur = 1024;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	cr_assert_eq(recv(fd, &byte, 1, 0), -1, "it was answered without a file");
	turn();
	cr_assert_eq(recv(fd, &byte, 1, 0), -1, "it looks again only after a while");
	/* Until the timer has run. */
	ev_run(scene.master.loop, EVRUN_ONCE);
	turn();
	cr_assert_str_eq(answer(fd), "ready up 100%\n");
}

Test(agent, none_is_ignored)
{
	agent_open(NULL);
	agent_pause(NULL);
	agent_stop(NULL);
}
