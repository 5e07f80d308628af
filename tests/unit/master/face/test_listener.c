#include "master/face/listener.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hub/base/clock.h"

static struct ev_loop *loop;
static struct listener listener;
static struct places places;
static struct place holder;
static int held = -1, taken, wrong;
static struct sockaddr_in address = {.sin_family = AF_INET};

static void
on_take(int client, const struct sockaddr *from, void *context)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)from;

	wrong += v4->sin_family != AF_INET || v4->sin_addr.s_addr != htonl(INADDR_LOOPBACK) ||
		 context != &taken;
	taken++;
	close(client);
}

static void
on_end(struct place *place)
{
	wrong += place != &holder;
	close(held);
}

static void
begin(void)
{
	socklen_t length = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	loop = ev_loop_new(EVFLAG_AUTO);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, length), 0);
	cr_assert_eq(listen(fd, 64), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	places_init(&places, loop, 1, CLOCK_SECOND, on_end);
	listener_init(&listener, loop, fd, &places, on_take, &taken);
	listener_start(&listener);
}

static void
end(void)
{
	listener_stop(&listener);
	places_fini(&places);
	close(listener.input.watcher.fd);
	ev_loop_destroy(loop);
	cr_assert_eq(wrong, 0);
}

TestSuite(listener, .init = begin, .fini = end, .timeout = 20);

static int
come(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
	return fd;
}

static void
turn(void)
{
	ev_run(loop, EVRUN_NOWAIT);
}

static void
limit_files(rlim_t most)
{
	struct rlimit limit = {most, 4096};

	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

Test(listener, a_turn_takes_a_few_of_those_who_wait)
{
	for (int i = 0; i < 40; i++)
		come();
	turn();
	cr_assert_eq(taken, LISTENER_AT_ONCE);
	turn();
	cr_assert_eq(taken, 2 * LISTENER_AT_ONCE);
	turn();
	cr_assert_eq(taken, 40);
}

Test(listener, when_files_run_out_a_client_that_has_a_place_gives_way)
{
	int fd = come();

	held = dup(fd);
	places_take(&places, &holder, NULL);
	limit_files((rlim_t)held + 1);
	turn();
	cr_assert_eq(places.count, 0);
	turn();
	cr_assert_eq(taken, 1);
	cr_assert_not(ev_is_active(&listener.again));
	limit_files(1024);
}

Test(listener, without_files_it_does_not_spin_and_accepts_later)
{
	int fd = come();

	limit_files((rlim_t)fd + 1);
	turn();
	cr_assert(ev_is_active(&listener.again));
	cr_assert_not(ev_is_active(&listener.input));
	listener_start(&listener);
	cr_assert_not(ev_is_active(&listener.input), "it is to wait");
	limit_files(1024);
	while (ev_is_active(&listener.again))
		ev_run(loop, EVRUN_ONCE);
	turn();
	cr_assert_eq(taken, 1);
}

/* As where a filter refuses accept4: EPERM, for ever. */
Test(listener, whatever_accepting_fails_by_it_does_not_spin)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	/* EINVAL: it does not listen. */
	ev_invoke(loop, &listener.input.watcher, EV_READ);
	ear_stop(loop, &listener.input);
	close(listener.input.watcher.fd);
	listener_init(&listener, loop, fd, &places, on_take, &taken);
	ev_invoke(loop, &listener.input.watcher, EV_READ);
	cr_assert(ev_is_active(&listener.again));
	cr_assert_eq(taken, 0);
}

Test(listener, who_comes_while_it_stops_waits)
{
	listener_stop(&listener);
	come();
	turn();
	cr_assert_eq(taken, 0);
	listener_start(&listener);
	listener_start(&listener);
	turn();
	cr_assert_eq(taken, 1);
}
