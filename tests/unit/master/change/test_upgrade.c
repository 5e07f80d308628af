#include "master/change/upgrade.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "master/change/change.h"
#include "master/change/commit.h"
#include "master/change/word.h"
#include "master/say/history.h"
#include "master/say/notify.h"
#include "tests/unit/master/quiet.h"

#define LOOKS 300

/* A former master whose successor serves, and is not named yet: the launcher is about to end. The
 * test is the successor, and the service manager. */
struct naming {
	struct quiet quiet;
	struct successor *successor;
	int manager;
	int channel; /* the successor's */
	int commit;
	int dies; /* written to, it makes the successor's pidfd readable, as its death does */
};

static unsigned ended;
static char ended_why[256];

static void
count_end(struct master *master, const char *why)
{
	(void)master;
	snprintf(ended_why, sizeof ended_why, "%s", why != NULL ? why : "");
	ended++;
}

static void
ignore(struct master *master)
{
	(void)master;
}

static void
listen_as_manager(struct naming *naming)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	char path[64];
	int length = snprintf(path, sizeof path, "@upgrade-%d", (int)getpid());

	memcpy(name.sun_path, path, (size_t)length);
	name.sun_path[0] = '\0';
	naming->manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	cr_assert_eq(bind(naming->manager, (struct sockaddr *)&name,
			     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)length)),
		0);
	setenv("NOTIFY_SOCKET", path, 1);
	notify_init();
}

/* What the manager is told next; "" for nothing. */
static const char *
told(struct naming *naming)
{
	static char text[256];
	ssize_t length = recv(naming->manager, text, sizeof text - 1, 0);

	text[length > 0 ? length : 0] = '\0';
	return text;
}

static void
fill_queue(void)
{
	do
		notify_send("STATUS=full");
	while (!notify_awaits_room());
}

static void
read_queue(struct naming *naming)
{
	while (strcmp(told(naming), "STATUS=full") == 0)
		;
}

static void
begin(struct naming *naming)
{
	struct master *master = &naming->quiet.master;
	int pair[2], ends[2];

	listen_as_manager(naming);
	quiet_set_new(&naming->quiet);
	naming->successor = master->successor;
	ended = 0;
	master->upgrade_events.ended = count_end;
	master->upgrade_events.may_end = master->upgrade_events.released = ignore;
	master->phase = MASTER_HANDED_OVER;
	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	cr_assert_eq(pipe(ends), 0);
	naming->dies = ends[1];
	naming->channel = pair[1];
	naming->successor->channel = pair[0];
	naming->successor->commit = commit_new(&naming->commit);
	commit_offer(naming->successor->commit);
	cr_assert(commit_take(naming->successor->commit, false));
	naming->successor->phase = SUCCESSOR_SERVING;
	naming->successor->has_told = true;
	naming->successor->pid = 4711;
	naming->successor->pidfd = ends[0];
	naming->successor->death.watcher.data = naming->successor->deadline.data = master;
	ear_start_on(master->loop, &naming->successor->death, ends[0]);
}

/* The launcher ends. */
static void
let_go(struct naming *naming)
{
	siginfo_t info;
	pid_t launcher = fork();

	if (launcher == 0)
		_exit(0);
	cr_assert_eq(waitid(P_PID, (id_t)launcher, &info, WEXITED | WNOWAIT), 0);
	naming->successor->launcher = launcher;
	cr_assert(upgrade_reap(&naming->quiet.master, launcher));
}

/* One look of its clock. */
static void
look(struct naming *naming)
{
	ev_invoke(naming->quiet.master.loop, &naming->successor->deadline, EV_TIMER);
}

static bool heard_name;

static void
hear(struct master *master, enum word word, int file)
{
	(void)master, (void)file;
	heard_name = heard_name || word == WORD_NAMED;
}

static bool
is_named(struct naming *naming)
{
	heard_name = false;
	word_receive(&naming->quiet.master, &naming->channel, hear);
	return heard_name;
}

static void
assert_over(struct naming *naming, const char *what)
{
	cr_assert(is_named(naming), "%s", what);
	cr_assert_not(upgrade_must_stay(&naming->quiet.master), "%s", what);
	cr_assert_not(ev_is_active(&naming->successor->deadline), "%s", what);
	cr_assert_eq(ended, 1, "%s", what);
}

static void
clear(struct naming *naming)
{
	upgrade_fini(&naming->quiet.master);
	quiet_clear(&naming->quiet);
	close(naming->channel);
	close(naming->commit);
	close(naming->dies);
	close(naming->manager);
}

Test(upgrade, a_manager_with_room_is_told_at_once)
{
	struct naming naming;

	begin(&naming);
	let_go(&naming);
	assert_over(&naming, "at once");
	cr_assert_str_eq(told(&naming), "MAINPID=4711");
	clear(&naming);
}

/* Or that the kernel does not name, or of which it does not say how it ended. */
Test(upgrade, a_launcher_that_nobody_can_ask_about_has_ended)
{
	struct naming naming;
	struct master *master = &naming.quiet.master;

	begin(&naming);
	cr_assert_not(upgrade_reap(master, 0), "there is none");
	naming.successor->launcher = fork();
	if (naming.successor->launcher == 0)
		pause();
	cr_assert(upgrade_reap(master, 0));
	cr_assert_not(is_named(&naming), "it runs");
	kill(naming.successor->launcher, SIGKILL);
	cr_assert_eq(waitpid(naming.successor->launcher, NULL, 0), naming.successor->launcher);
	cr_assert(upgrade_reap(master, 0));
	assert_over(&naming, "another has reaped it");
	clear(&naming);
}

Test(upgrade, the_former_master_stays_until_the_manager_has_room)
{
	struct naming naming;

	begin(&naming);
	fill_queue();
	notify_send("READY=1\nMAINPID=17");
	let_go(&naming);
	for (int i = 0; i < LOOKS / 2; i++)
		look(&naming);
	cr_assert(upgrade_must_stay(&naming.quiet.master));
	cr_assert_not(is_named(&naming));
	cr_assert_eq(ended, 0);
	read_queue(&naming);
	look(&naming);
	assert_over(&naming, "there is room");
	cr_assert_str_eq(told(&naming), "MAINPID=4711", "and not what was said of the old one");
	cr_assert_str_eq(told(&naming), "");
	clear(&naming);
}

Test(upgrade, a_manager_that_never_reads_is_not_waited_for_without_end)
{
	struct naming naming;

	begin(&naming);
	fill_queue();
	let_go(&naming);
	for (int i = 1; i < LOOKS; i++) {
		cr_assert(upgrade_must_stay(&naming.quiet.master), "%d", i);
		look(&naming);
	}
	assert_over(&naming, "half a minute");
	cr_assert_not_null(strstr(history_newest(0)->text, "does not read"));
	clear(&naming);
}

Test(upgrade, a_manager_that_goes_is_not_waited_for)
{
	struct naming naming;

	begin(&naming);
	fill_queue();
	let_go(&naming);
	cr_assert(upgrade_must_stay(&naming.quiet.master));
	close(naming.manager);
	look(&naming);
	assert_over(&naming, "it is gone");
	naming.manager = -1;
	clear(&naming);
}

Test(upgrade, a_successor_that_ends_before_it_is_named_is_not_named)
{
	struct naming naming;

	begin(&naming);
	fill_queue();
	let_go(&naming);
	cr_assert(commit_leave(naming.successor->commit));
	look(&naming);
	cr_assert_eq(naming.successor->phase, SUCCESSOR_LEFT);
	cr_assert(upgrade_must_stay(&naming.quiet.master), "it may drain yet");
	cr_assert_eq(write(naming.dies, "", 1), 1);
	ev_run(naming.quiet.master.loop, EVRUN_NOWAIT);
	assert_over(&naming, "it is dead");
	clear(&naming);
}

/* A new master starts, and its time is up: it has said that, or nothing. */
static void
be_late(const char *said)
{
	struct quiet quiet;
	struct successor *successor = &quiet.successor;
	int pair[2], commit;

	quiet_set(&quiet);
	ended = 0;
	quiet.master.upgrade_events.ended = count_end;
	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	successor->channel = pair[0];
	successor->commit = commit_new(&commit);
	successor->phase = SUCCESSOR_STARTING;
	successor->deadline.data = &quiet.master;
	if (said != NULL)
		word_send_text(pair[1], WORD_FELL, said);
	ev_invoke(quiet.master.loop, &successor->deadline, EV_TIMER);
	cr_assert_eq(ended, 1);
	cr_assert_eq(successor->phase, SUCCESSOR_NONE);
	close(pair[1]);
	close(commit);
	quiet_clear(&quiet);
}

Test(upgrade, a_successor_that_is_late_is_given_up_for_the_reason_that_it_has_said)
{
	be_late(NULL);
	cr_assert_str_eq(ended_why, "the new program did not get ready in time, and was killed");
	be_late("hub_start of worker 0 has not returned for 1 s");
	cr_assert_str_eq(ended_why, "hub_start of worker 0 has not returned for 1 s");
}
