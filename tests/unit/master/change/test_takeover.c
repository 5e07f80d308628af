#include "master/change/takeover.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "master/change/commit.h"
#include "master/change/word.h"
#include "master/say/notify.h"
#include "tests/support/folder.h"
#include "tests/support/manager.h"
#include "tests/unit/master/quiet.h"

static int more, fewer;

static void
add_workers(struct master *master, int workers)
{
	(void)master;
	more += workers > 0 ? workers : 0;
	fewer -= workers < 0 ? workers : 0;
}

Test(takeover, the_new_master_hears_of_workers_to_add)
{
	struct quiet quiet;
	int pair[2];

	quiet_set_new(&quiet);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	quiet.former.channel = pair[0];
	quiet.former.commit = commit_new(&quiet.former.commit_file);
	quiet.master.upgrade_events.add_workers = add_workers;
	takeover_listen(&quiet.master);
	word_send(pair[1], WORD_MORE, -1);
	word_send(pair[1], WORD_MORE, -1);
	word_send(pair[1], WORD_FEWER, -1);
	ev_run(quiet.master.loop, EVRUN_NOWAIT);
	cr_assert_eq(more, 2);
	cr_assert_eq(fewer, 1);
	close(pair[1]);
	takeover_fini(&quiet.master);
	quiet_clear(&quiet);
}

/* As when a hub of the new master hangs, and comes back, while the former one is stopped. */
Test(takeover, to_be_ready_again_keeps_the_clock_right)
{
	struct quiet quiet;
	ev_timer *clock = &quiet.former.look;
	int pair[2];

	quiet_set_new(&quiet);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	quiet.former.channel = pair[0];
	quiet.former.commit = commit_new(&quiet.former.commit_file);
	for (int i = 0; i < 2; i++) {
		takeover_risen(&quiet.master);
		cr_assert_gt(ev_timer_remaining(quiet.master.loop, clock), 0, "%d", i);
	}
	close(pair[1]);
	takeover_fini(&quiet.master);
	quiet_clear(&quiet);
}

/* As when it is drained before the former one has named it. */
Test(takeover, a_new_master_that_stops_when_it_is_named_says_that)
{
	char folder[FOLDER_SIZE];
	struct quiet quiet;
	int pair[2], manager;

	cr_assert(folder_make(folder));
	manager = manager_open(folder);
	cr_assert_neq(manager, -1);
	setenv("HUBBUB_HANDOVER", "3", 1);
	notify_init();
	quiet_set_new(&quiet);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	quiet.former.channel = pair[0];
	quiet.former.commit = commit_new(&quiet.former.commit_file);
	quiet.master.phase = MASTER_DRAINING;
	takeover_listen(&quiet.master);
	notify_send("STOPPING=1");
	notify_alive();
	notify_status("early");
	cr_assert_not(manager_hears(manager, "", 0.05), "it speaks before it is named");
	word_send(pair[1], WORD_NAMED, -1);
	ev_run(quiet.master.loop, EVRUN_NOWAIT);
	cr_assert(manager_hears(manager, "STOPPING=1\nSTATUS=draining", 5));
	close(pair[1]);
	takeover_fini(&quiet.master);
	quiet_clear(&quiet);
	folder_remove(folder);
}
