#include "master/base/ear.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/support/complaint.h"
#include "tests/support/shortage.h"

static struct ev_loop *loop;
static struct ear ear;
static int ends[2];
static unsigned heard;
static ev_timer limit;

static void
hear(struct ev_loop *in, ev_io *watcher, int events)
{
	char byte;

	cr_assert_eq(events, EV_READ);
	cr_assert_eq(watcher->data, &heard);
	cr_assert_eq(read(watcher->fd, &byte, 1), 1);
	heard++;
	ev_break(in, EVBREAK_ALL);
}

static void
on_limit(struct ev_loop *in, ev_timer *timer, int events)
{
	(void)timer, (void)events;
	ev_break(in, EVBREAK_ALL);
}

static void
begin(void)
{
	loop = ev_loop_new(EVFLAG_NOENV);
	cr_assert(loop != NULL && pipe(ends) == 0);
	ear_init(&ear, hear, ends[0], EV_READ);
	ear.watcher.data = &heard;
	ev_timer_init(&limit, on_limit, 0., 0.);
}

static void
end(void)
{
	ear_stop(loop, &ear);
	ev_loop_destroy(loop);
	close(ends[0]);
	close(ends[1]);
}

TestSuite(ear, .init = begin, .fini = end);

static void
run_for(double seconds)
{
	ev_now_update(loop);
	ev_timer_set(&limit, seconds, 0.);
	ev_timer_start(loop, &limit);
	ev_run(loop, 0);
	ev_timer_stop(loop, &limit);
}

static void
write_byte(void)
{
	cr_assert_eq(write(ends[1], "x", 1), 1);
}

/* As libev does when the kernel refuses. */
static void
deafen(void)
{
	ev_io_stop(loop, &ear.watcher);
	ev_invoke(loop, &ear.watcher, EV_ERROR | EV_READ | EV_WRITE);
}

Test(ear, hears_while_it_is_started)
{
	write_byte();
	ear_start(loop, &ear);
	run_for(10);
	cr_assert_eq(heard, 1);
	ear_stop(loop, &ear);
	cr_assert_not(ear_is_active(&ear));
	write_byte();
	run_for(0.01);
	cr_assert_eq(heard, 1);
}

Test(ear, one_that_was_made_deaf_hears_again_after_a_pause)
{
	ear_start(loop, &ear);
	write_byte();
	deafen();
	cr_assert_eq(heard, 0, "it was no event");
	cr_assert(ear_is_active(&ear));
	run_for(10);
	cr_assert_eq(heard, 1);
}

Test(ear, in_its_pause_it_can_be_stopped_and_is_not_started_early)
{
	ear_start(loop, &ear);
	deafen();
	ear_start(loop, &ear);
	cr_assert_not(ev_is_active(&ear.watcher));
	ear_stop(loop, &ear);
	cr_assert_not(ear_is_active(&ear));
	write_byte();
	run_for(3 * EAR_PAUSE);
	cr_assert_eq(heard, 0);
}

/* libev stops the watcher first, and tells it when others have had their turn. */
Test(ear, one_that_was_just_made_deaf_is_active)
{
	ear_start(loop, &ear);
	ev_io_stop(loop, &ear.watcher);
	ev_feed_event(loop, &ear.watcher, EV_ERROR | EV_READ | EV_WRITE);
	cr_assert(ear_is_active(&ear));
	ev_invoke_pending(loop);
	cr_assert(ear_is_active(&ear));
	ear_stop(loop, &ear);
	cr_assert_not(ear_is_active(&ear));
}

Test(ear, it_can_listen_to_another_descriptor)
{
	int pipes[2];

	cr_assert_eq(pipe(pipes), 0);
	ear_start(loop, &ear);
	deafen();
	ear_start_on(loop, &ear, pipes[0]);
	write_byte();
	run_for(3 * EAR_PAUSE);
	cr_assert_eq(heard, 0);
	cr_assert_eq(write(pipes[1], "x", 1), 1);
	run_for(10);
	cr_assert_eq(heard, 1);
}

/* From here on this process cannot have the number watched; -1: none at all. */
static void
refuse_watch(int fd)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_epoll_ctl, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
		BPF_JUMP(BPF_JMP | (fd == -1 ? BPF_JGE : BPF_JEQ) | BPF_K,
			fd == -1 ? 0 : (unsigned)fd, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSPC),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {6, filter};

	cr_assert_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	cr_assert_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

Test(ear, as_long_as_the_kernel_refuses_it_tries_without_spinning_and_says_so_once)
{
	const char *said, *at;
	unsigned turns;

	refuse_watch(ends[0]);
	write_byte();
	complaint_listen();
	ear_start(loop, &ear);
	run_for(5.5 * EAR_PAUSE);
	turns = ev_iteration(loop);
	said = complaint_heard();
	cr_assert_eq(heard, 0);
	cr_assert(ear_is_active(&ear));
	cr_assert_lt(turns, 50);
	at = strstr(said, "the kernel refuses to watch");
	cr_assert_not_null(at, "%s", said);
	cr_assert_null(strstr(at + 1, "the kernel refuses to watch"), "%s", said);
}

static void
on_signal(struct ev_loop *in, ev_signal *watcher, int events)
{
	(void)watcher, (void)events;
	heard++;
	ev_break(in, EVBREAK_ALL);
}

Test(ear, a_loop_hears_of_signals)
{
	struct ev_loop *other = ear_loop_new();
	ev_signal watcher;

	cr_assert_not_null(other);
	ev_signal_init(&watcher, on_signal, SIGUSR1);
	ev_signal_start(other, &watcher);
	raise(SIGUSR1);
	ev_run(other, 0);
	cr_assert_eq(heard, 1);
	ev_signal_stop(other, &watcher);
	ev_loop_destroy(other);
}

/* It would be deaf to signals, and nobody would know. */
Test(ear, a_loop_that_signals_could_not_wake_is_none)
{
	refuse_watch(-1);
	cr_assert_null(ear_loop_new());
}

/* ---- no descriptor for libev's own set ---- */

Test(ear, outlives_a_moment_without_descriptors)
{
	struct ev_loop *own = ear_loop_new();

	ev_loop_fork(own);
	shortage_begin();
	ev_run(own, EVRUN_NOWAIT);
	shortage_end();
	ev_run(own, EVRUN_NOWAIT);
	ev_loop_destroy(own);
}
