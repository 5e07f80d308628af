/* Every callback reads the channel and the commit word before it acts, and hand_over, renounce,
 * withdraw and take_back each happen once at most. So the order in which words, deaths and
 * deadlines are noticed does not matter. */
#include "master/change/upgrade.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "hub/base/log.h"
#include "master/base/timer.h"
#include "master/change/commit.h"
#include "master/change/launch.h"
#include "master/change/takeover.h"
#include "master/change/word.h"
#include "master/master.h"
#include "master/say/history.h"
#include "master/say/notify.h"
#include "master/start/program.h"
#include "master/start/sandbox.h"
#include "worker/nofile.h"

/* Looks are counted, not timed, so that a pause of the machine is not taken for a delay. */
#define LOOKS_MAX 20     /* between OFFERED and TAKEN, while no hub accepts */
#define TIME_DEFAULT 30. /* seconds for the new master to get ready, without a --hang-timeout */
#define TIME_MORE 5.     /* in addition, for the new master to give a hook up and to name it */
/* How long the old master stays for a service manager that does not read. */
#define NAMING_EVERY 0.1 /* seconds */
#define NAMING_LOOKS_MAX 300

/* ---- ends of an attempt ---- */

/* The new master owns the server: this master drains. */
static void
hand_over(struct master *master)
{
	struct successor *successor = master->successor;

	if (successor->phase >= SUCCESSOR_SERVING)
		return;
	history_note(LOG_INFO, "handed over to the new master, pid %d", (int)successor->pid);
	ev_timer_stop(master->loop, &successor->deadline);
	successor->phase = SUCCESSOR_SERVING;
	successor->config = master->fleet.serving->config;
	master->phase = MASTER_HANDED_OVER;
	sockets_forget(&master->sockets);
	master->upgrade_events.handed_over(master);
	fleet_leave(&master->fleet, CHANNEL_HANDOVER);
	fleet_freeze(&master->fleet, false);
	/* From here on this master alone serves again if the new master dies; an older master does
	 * not. */
	takeover_leave(master);
	successor_let_go(successor, master->loop);
}

/* Ends the upgrade once TOOK came and the service manager knows the new master. */
static void
complete(struct master *master)
{
	if (master->successor->phase < SUCCESSOR_SERVING || upgrade_must_stay(master))
		return;
	master->upgrade_events.ended(master, NULL);
	master->upgrade_events.may_end(master);
}

static void
end_naming(struct master *master)
{
	struct successor *successor = master->successor;

	ev_timer_stop(master->loop, &successor->deadline);
	word_send(successor->channel, WORD_NAMED, -1);
	successor->is_named = true;
	complete(master);
}

/* Waits until the service manager has read the name. If this process ended before that, the manager
 * would take this end for the end of the service, and stop it. */
static void
look_at_naming(struct master *master)
{
	struct successor *successor = master->successor;

	/* A dead master is not to be named. */
	if (!ear_is_active(&successor->death))
		notify_forget();
	if (notify_awaits_room()) {
		if (++successor->looks < NAMING_LOOKS_MAX)
			return;
		history_note(LOG_ERROR,
			"the service manager does not read its messages; it may not know that pid "
			"%d is the main process now",
			(int)successor->pid);
	}
	end_naming(master);
}

/* Called once the launcher is gone: then the new master is the service manager's own child. */
static void
name_successor(struct master *master)
{
	struct successor *successor = master->successor;

	/* Unsent messages describe this master; the new master reports the server's state. */
	notify_forget();
	notify_send("MAINPID=%d", (int)successor->pid);
	successor->looks = 0;
	timer_start(master->loop, &successor->deadline, NAMING_EVERY, NAMING_EVERY);
	look_at_naming(master);
}

/* The new master stops as it was told to, or has handed over itself: this master drains and never
 * serves again. */
static void
renounce(struct master *master)
{
	struct successor *successor = master->successor;

	if (successor->phase == SUCCESSOR_LEFT)
		return;
	/* The new master may have named its own successor: an older name must not follow. */
	if (successor->is_named)
		notify_forget();
	hand_over(master);
	successor->phase = SUCCESSOR_LEFT;
	successor->has_told = true;
	sockets_release(&master->sockets);
	complete(master);
	master->upgrade_events.released(master);
}

static void
look_at_commit(struct master *master)
{
	struct successor *successor = master->successor;

	if (successor->phase == SUCCESSOR_NONE)
		return;
	if (commit_state(successor->commit) == COMMIT_LEFT)
		renounce(master);
	else if (commit_state(successor->commit) == COMMIT_TAKEN)
		hand_over(master);
}

/* Gives the upgrade up. Returns false, and hands over, if the new master has taken over
 * meanwhile. */
static bool
withdraw(struct master *master)
{
	struct successor *successor = master->successor;

	if (!commit_withdraw(successor->commit)) {
		look_at_commit(master);
		return false;
	}
	/* The new master's workers have no connections, and end when they find it dead. The new
	 * master and the launcher are reaped as unknown children. */
	if (successor->pidfd != -1)
		sandbox_kill(successor->pid, successor->pidfd, SIGKILL);
	if (successor->phase == SUCCESSOR_OFFERED)
		master->upgrade_events.kept(master);
	successor_forget(master);
	fleet_freeze(&master->fleet, false);
	return true;
}

static void
roll_back(struct master *master, const char *why)
{
	if (withdraw(master))
		master->upgrade_events.ended(master, why);
}

void
upgrade_abandon(struct master *master)
{
	enum successor_phase phase = master->successor->phase;

	if (phase == SUCCESSOR_STARTING || phase == SUCCESSOR_OFFERED)
		withdraw(master);
}

/* The new master has died without leaving: this master serves again. */
static void
take_back(struct master *master)
{
	struct successor *successor = master->successor;
	struct fleet_config config = successor->config;
	bool is_to_drain = successor->is_to_drain;

	notify_forget();
	history_note(LOG_ERROR, "the new master (pid %d) is dead; this one, pid %d, %s",
		(int)successor->pid, (int)getpid(),
		is_to_drain ? "drains, as it was told to" : "serves again");
	successor_forget(master);
	master->upgrade_events.ended(master, "the new master died when it had taken over");
	master->phase = MASTER_STARTING;
	master->upgrade_events.kept(master);
	fleet_inherit(&master->fleet, sockets_own(&master->sockets));
	if (is_to_drain) {
		master->upgrade_events.drain(master);
	} else if (fleet_return(&master->fleet, &config) != 0) {
		log_error("cannot serve again: %s", strerror(errno));
		master->upgrade_events.stop(master, 1);
	}
}

/* ---- events ---- */

/* The new master is ready: no hub here accepts until the new master has taken over or died. */
static void
offer(struct master *master)
{
	struct successor *successor = master->successor;

	/* Without the pid, which the launcher may send later, the new master's death would not be
	 * seen. */
	if (!successor->has_risen || successor->pid == 0 ||
		successor->phase != SUCCESSOR_STARTING || master->phase != MASTER_SERVING)
		return;
	successor->phase = SUCCESSOR_OFFERED;
	fleet_freeze(&master->fleet, true);
	master->upgrade_events.offered(master);
	commit_offer(successor->commit);
	successor->looks = 0;
	timer_start(master->loop, &successor->deadline, COMMIT_LOOK_EVERY, COMMIT_LOOK_EVERY);
	word_send(successor->channel, WORD_GO, -1);
}

static void
on_successor_word(struct master *master, enum word word, int file)
{
	struct successor *successor = master->successor;

	switch (word) {
	case WORD_RISEN:
		successor->has_risen = true;
		offer(master);
		break;
	case WORD_TOOK:
		successor->has_told = true;
		look_at_commit(master);
		complete(master);
		break;
	case WORD_LEAVING:
		look_at_commit(master);
		break;
	case WORD_STOP:
		master->upgrade_events.stop(master, 0);
		break;
	case WORD_FELL:
		word_text(file, successor->why, sizeof successor->why);
		break;
	case WORD_REOPEN:
		word_reopen(master, file);
		takeover_reopen(master);
		break;
	default:
		log_warning("the new master sent an unknown word (%u)", word);
	}
}

static void
on_successor(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct master *master = watcher->data;

	(void)events;
	/* At the end of the channel the pidfd or the launcher's exit tells more. */
	if (!word_receive(master, &master->successor->channel, on_successor_word))
		ear_stop(loop, &master->successor->talk);
}

static void
on_death(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct master *master = watcher->data;
	struct successor *successor = master->successor;

	(void)events;
	ear_stop(loop, &successor->death);
	word_receive(master, &successor->channel, on_successor_word);
	look_at_commit(master);
	if (successor->phase == SUCCESSOR_SERVING && commit_retake(successor->commit))
		take_back(master);
	else if (successor->phase == SUCCESSOR_SERVING)
		renounce(master);
	else if (successor->phase < SUCCESSOR_SERVING && successor->launcher == 0)
		roll_back(master, "the new program died while it started");
	else if (successor->phase == SUCCESSOR_LEFT && ev_is_active(&successor->deadline))
		look_at_naming(master);
	/* Otherwise the launcher is about to end, and its exit status tells how the new master
	 * ended. */
}

bool
upgrade_reap(struct master *master, pid_t pid)
{
	struct successor *successor = master->successor;
	int status = 0;
	pid_t result;

	if (successor->launcher == 0 || (pid != 0 && successor->launcher != pid))
		return false;
	/* If waitpid fails, the launcher has ended all the same: SIGCHLD named its pid, or it is no
	 * child any more (ECHILD). */
	result = waitpid(successor->launcher, &status, WNOHANG);
	if (result == 0 || (result == -1 && pid == 0 && errno != ECHILD))
		return true;
	successor->launcher = 0;
	if (successor->phase == SUCCESSOR_OFFERED)
		word_receive(master, &successor->channel, on_successor_word);
	look_at_commit(master);
	if (successor->phase >= SUCCESSOR_SERVING)
		name_successor(master);
	else
		roll_back(master, successor_explain_death(successor, status));
	return true;
}

static void
on_birth(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct master *master = watcher->data;
	struct successor *successor = master->successor;
	pid_t pid = launch_born(successor->leash, &successor->pidfd);
	static char why[NOFILE_ADVICE_SIZE + 64];

	(void)events;
	if (pid == 0)
		return;
	ear_stop(loop, &successor->birth);
	/* Without a pid the launcher's end is the new master's end. */
	if (pid < 0)
		return;
	if (successor->pidfd == -1) {
		snprintf(why, sizeof why, "no more files (raise the limit: %s)",
			nofile_advice_here());
		roll_back(master, why);
		return;
	}
	successor->pid = pid;
	ear_start_on(loop, &successor->death, successor->pidfd);
	log_info("upgrading: the new master is pid %d", (int)pid);
	offer(master);
}

static void
on_deadline(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct master *master = timer->data;
	struct successor *successor = master->successor;
	enum successor_phase before = successor->phase;

	(void)loop, (void)events;
	/* Words and swaps of the new master may have waited while this master was paused. */
	word_receive(master, &successor->channel, on_successor_word);
	look_at_commit(master);
	if (before >= SUCCESSOR_SERVING)
		look_at_naming(master);
	if (before >= SUCCESSOR_SERVING || successor->phase != before)
		return;
	if (before == SUCCESSOR_STARTING)
		roll_back(master, successor_explain_delay(successor));
	else if (++successor->looks >= LOOKS_MAX)
		roll_back(master, "the new program did not take over in time, and was killed");
}

/* ---- starting the new master ---- */

static void
watch_successor(struct master *master)
{
	struct successor *successor = master->successor;
	int64_t limit = master->options.hang_timeout;

	ear_init(&successor->talk, on_successor, successor->channel, EV_READ);
	ear_init(&successor->birth, on_birth, successor->leash, EV_READ);
	ear_init(&successor->death, on_death, -1, EV_READ);
	/* The new master's words are read before its death is handled. */
	ev_set_priority(&successor->talk.watcher, 1);
	successor->talk.watcher.data = successor->birth.watcher.data =
		successor->death.watcher.data = successor->deadline.data = master;
	ear_start(master->loop, &successor->talk);
	ear_start(master->loop, &successor->birth);
	timer_start(master->loop, &successor->deadline,
		(limit > 0 ? clock_seconds(limit) : TIME_DEFAULT) + TIME_MORE, 0.);
}

int
upgrade_start(struct master *master, const char **why)
{
	struct successor *successor = master->successor;

	*why = "this is process 1, whose end would end its container: start a new container "
	       "instead";
	if (getpid() == 1)
		return -1;
	if (!program_is_there(why))
		return -1;
	*why = "the system refuses pidfd_open, without which the new program could not be watched; "
	       "restart instead";
	if (!sandbox_has_pidfds())
		return -1;
	*why = "the service manager's NOTIFY_SOCKET cannot be reached: it would take the end of "
	       "this process for the end of the service; restart instead";
	if (!notify_is_reachable())
		return -1;
	*why = "the former master has not handed over entirely yet; try again";
	if (!takeover_is_complete(master))
		return -1;
	*why = "a worker is not ready; try again when all are";
	if (!fleet_is_steady(&master->fleet))
		return -1;
	if (successor_start(master, why) != 0)
		return -1;
	successor->phase = SUCCESSOR_STARTING;
	watch_successor(master);
	return 0;
}

bool
upgrade_must_stay(const struct master *master)
{
	const struct successor *successor = master->successor;

	return successor->phase >= SUCCESSOR_SERVING &&
	       !(successor->has_told && successor->is_named) && !master->is_stopped;
}

/* ---- the record ---- */

void
upgrade_init(struct successor *successor)
{
	*successor = (struct successor){.pidfd = -1, .channel = -1, .leash = -1};
	ear_init(&successor->talk, on_successor, -1, EV_READ);
	ear_init(&successor->birth, on_birth, -1, EV_READ);
	ear_init(&successor->death, on_death, -1, EV_READ);
	ev_init(&successor->deadline, on_deadline);
}

void
upgrade_fini(struct master *master)
{
	successor_forget(master);
}
