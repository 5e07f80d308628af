#include "master/change/successor.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "master/change/change.h"
#include "master/change/word.h"
#include "tests/unit/master/quiet.h"

/* A former master, whose successor serves, and is this process, or a child of it. */
struct scene {
	struct quiet quiet;
	int channel; /* the successor's */
};

static void
begin(struct scene *scene, pid_t pid)
{
	struct successor *successor;
	int pair[2];

	quiet_set_new(&scene->quiet);
	successor = scene->quiet.master.successor;
	scene->quiet.master.phase = MASTER_HANDED_OVER;
	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	scene->channel = pair[1];
	successor->channel = pair[0];
	successor->phase = SUCCESSOR_SERVING;
	successor->pid = pid;
	successor->pidfd = pidfd_open(pid, 0);
}

static void
clear(struct scene *scene)
{
	successor_forget(&scene->quiet.master);
	quiet_clear(&scene->quiet);
	close(scene->channel);
}

static int more, fewer;

static void
count_workers(struct master *master, enum word word, int file)
{
	(void)master, (void)file;
	more += word == WORD_MORE;
	fewer += word == WORD_FEWER;
}

/* Signals of one number that wait are one; so it is not by signals that workers are passed on. */
Test(successor, as_many_workers_are_passed_on_as_were_asked_for)
{
	struct scene scene;
	struct master *master = &scene.quiet.master;

	begin(&scene, getpid());
	master->change = CHANGE_UPGRADE;
	for (int i = 0; i < 3; i++)
		master_add_workers_later(master, 1);
	master->change = CHANGE_NONE;
	master_do_pending(master);
	master_add_workers_later(master, -1);
	word_receive(master, &scene.channel, count_workers);
	cr_assert_eq(more, 3);
	cr_assert_eq(fewer, 1);
	cr_assert_eq(master->pending.workers, 0);
	clear(&scene);
}

/* This one, which takes the server back, then adds them itself. */
Test(successor, of_a_dead_one_nothing_is_passed_on)
{
	struct scene scene;
	struct master *master = &scene.quiet.master;
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	begin(&scene, child);
	cr_assert_eq(waitpid(child, NULL, 0), child);
	master_add_workers_later(master, 1);
	word_receive(master, &scene.channel, count_workers);
	cr_assert_eq(more, 0);
	cr_assert_eq(master->pending.workers, 1);
	clear(&scene);
}

/* ---- in a sandbox ---- */

static bool
refuse(unsigned number)
{
	struct sock_filter steps[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = {sizeof steps / sizeof *steps, steps};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

static volatile sig_atomic_t hangups;

static void
count_hangup(int number)
{
	(void)number;
	hangups++;
}

/* Criterion runs each test in a process of its own. */
Test(successor, a_signal_is_passed_on_also_where_pidfds_may_not_be_told)
{
	struct scene scene;
	struct master *master = &scene.quiet.master;

	begin(&scene, getpid());
	signal(SIGHUP, count_hangup);
	if (!refuse(SYS_pidfd_send_signal))
		cr_skip_test("no filters of system calls here");
	master_reload_later(master);
	cr_assert_eq(hangups, 1);
	cr_assert_not(master->pending.reload);
	clear(&scene);
}

/* ---- its end ---- */

Test(successor, how_it_ended_is_explained)
{
	struct successor successor = {.why = ""};

	cr_assert_not_null(
		strstr(successor_explain_death(&successor, 7 << 8), "exited with code 7"));
	cr_assert_not_null(
		strstr(successor_explain_death(&successor, SIGKILL), "killed by signal 9"));
	strcpy(successor.why, "no store");
	cr_assert_str_eq(successor_explain_death(&successor, 1 << 8), "no store");
}
