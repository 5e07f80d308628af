/* One thread watches all hubs of the process; it starts with the first hub and ends with the last.
 * The mutex guards the list of hubs, so that none ends while it is being looked at. What the
 * watchdog's thread reads of a hub is atomic, or was written by the hub's thread in answer to
 * SIGURG (struct watched). Of a thread that sleeps it copies what may change meanwhile, and drops
 * the copy if the thread has run. */
#include "hub/debug/watchdog_priv.h"

#include <errno.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <time.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "hub/base/kernel.h"
#include "hub/base/log.h"
#include "hub/base/quiet.h"
#include "hub/base/settings.h"
#include "hub/base/task.h"
#include "hub/debug/asleep_priv.h"
#include "hub/debug/backtrace_priv.h"
#include "hub/debug/hooks.h"
#include "hub/fork_priv.h"
#include "hub/scheduler_priv.h"

#define TIME_DEFAULT 100
#define TIME_MOST 3600000
#define REPORT_SIZE 8192
/* How often the watchdog's thread looks at hubs that were busy OF_LATE, and at others. */
#define LOOK_OFTEN (10 * CLOCK_MILLISECOND)
#define LOOK_SELDOM (100 * CLOCK_MILLISECOND)
#define OF_LATE (100 * CLOCK_MILLISECOND)
/* How long the hub's thread may take to answer SIGURG; if it takes longer, the kernel holds it. */
#define ANSWER_TIME (100 * CLOCK_MILLISECOND)
/* A thread that could run, and had a CPU for less than this part of the time, is starved. */
#define STARVED_PART 5
#define STACK_SIZE ((size_t)256 * 1024)
/* The signal stack that unwinding needs at least. */
#define UNWIND_STACK_SIZE ((size_t)32 * 1024)

/* Guards all that follows. Recursive: a hook, which is called under it, may call hub_watchdog. */
static pthread_mutex_t mutex = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct list hubs = {&hubs, &hubs};
static int64_t limit = -1; /* nanoseconds; 0: off, below: not yet read from the environment */
static bool is_running;
static struct sigaction before; /* of SIGURG: the action that the watchdog's has replaced */

/* ---- in the hub's thread ---- */

/* Whether this stack is large enough to unwind on: the program may have given the thread a small
 * signal stack. */
static bool
has_room(void)
{
	stack_t stack;

	return kernel_sigaltstack(NULL, &stack) != 0 || !(stack.ss_flags & SS_ONSTACK) ||
	       stack.ss_size >= UNWIND_STACK_SIZE;
}

/* SIGURG: answers the watchdog's thread, or passes the signal on if that has not asked. */
static void
on_signal(int number, siginfo_t *info, void *context)
{
	int error = errno;
	struct hub *hub = hub_this;

	if (hub != NULL && atomic_load_explicit(&hub->watched.is_asked, memory_order_acquire)) {
		struct watched *watched = &hub->watched;

		memcpy(watched->name, hub->current->name, sizeof watched->name);
		watched->count = !has_room() ? 0
					     : (unsigned)backtrace_of_signal(
						       context, watched->frames, WATCHDOG_FRAMES);
		atomic_store_explicit(&watched->is_asked, false, memory_order_release);
	} else if (before.sa_flags & SA_SIGINFO) {
		before.sa_sigaction(number, info, context);
	} else if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN) {
		before.sa_handler(number);
	}
	errno = error;
}

/* ---- in the watchdog's thread ---- */

/* Asks the hub's thread where it is. Returns whether it has answered, into watched. */
static bool
ask(struct watched *watched)
{
	int64_t end = clock_now() + ANSWER_TIME;

	atomic_store_explicit(&watched->is_asked, true, memory_order_release);
	if (pthread_kill(watched->thread, SIGURG) != 0)
		return false;
	while (atomic_load_explicit(&watched->is_asked, memory_order_acquire)) {
		static const struct timespec pause = {0, 100000};

		if (clock_now() > end)
			/* If the hub's thread has begun to answer, it may still write: the answer
			 * is not read. */
			return !atomic_exchange(&watched->is_asked, false);
		kernel_nanosleep(&pause);
	}
	return true;
}

/* The CPU time that the hub's thread has used, in nanoseconds. */
static int64_t
time_used(const struct watched *watched)
{
	struct timespec used = {0};
	clockid_t clock;

	if (pthread_getcpuclockid(watched->thread, &clock) != 0 || kernel_clock(clock, &used) != 0)
		return 0;
	return used.tv_sec * CLOCK_SECOND + used.tv_nsec;
}

/* Opens what a descriptor of the process is now as this thread's, whose descriptor table is empty:
 * see watch. */
static void
borrow(int fd)
{
	int process = kernel_pidfd_open(kernel_getpid(), 0);
	int own = process != -1 ? kernel_pidfd_getfd(process, fd, 0) : -1;

	if (own != -1 && own != fd)
		kernel_dup2(own, fd);
	if (own != -1 && own != fd)
		kernel_close(own);
	if (process != -1 && process != fd)
		kernel_close(process);
}

/* Line by line: a text that is longer than a pipe takes at once could block. */
static void
log_lines(const char *text, size_t length)
{
	const char *end = text + length;

	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t size = newline != NULL ? (size_t)(newline + 1 - text) : (size_t)(end - text);

		log_bare(LOG_WARNING, text, size);
		text += size;
	}
}

/* Looks where the hub's thread sleeps. Returns false if the thread has run meanwhile: then its
 * stack may have had any form. */
static bool
look_inside(struct hub *hub, const struct asleep *asleep)
{
	struct watched *watched = &hub->watched;
	int64_t used = time_used(watched);
	const struct hub_coroutine *current = __atomic_load_n(&hub->current, __ATOMIC_RELAXED);

	memcpy(watched->name, current->name, sizeof watched->name);
	watched->count = (unsigned)asleep_callers(asleep,
		current == &hub->root ? watched->stack_end : (const void *)current, watched->frames,
		WATCHDOG_FRAMES);
	return time_used(watched) == used;
}

/* Finds where the hub is, into watched; sets whether it was found. Returns words for the report. A
 * signal tells best, but would end most of the system calls that a thread may sleep in. */
static const char *
find_out(struct hub *hub, bool *has_found)
{
	struct watched *watched = &hub->watched;
	const char *words = "";
	struct asleep asleep;
	bool is_known;

	if (thread_look(watched->tid, &asleep) == THREAD_SLEEPS) {
		is_known = look_inside(hub, &asleep);
		words = watched->count > 0 ? " (it sleeps in the kernel; called, perhaps, by)"
					   : " (it sleeps in the kernel, which does not say where)";
	} else {
		is_known = ask(watched);
		if (!is_known)
			words = " (its thread does not answer: the kernel holds it)";
	}
	*has_found = is_known;
	return words;
}

static void
report(struct hub *hub, int64_t blocked)
{
	struct watched *watched = &hub->watched;
	const struct hub_hooks *hooks = __atomic_load_n(&hub->hooks, __ATOMIC_ACQUIRE);
	bool has_found;
	const char *words = find_out(hub, &has_found);
	char text[REPORT_SIZE];
	int log = log_descriptor();
	size_t length;

	length = (size_t)snprintf(text, sizeof text,
		"hubbub: watchdog: coroutine \"%s\" has not switched for %lld ms; everything else "
		"in its hub waits:%s\n",
		has_found ? watched->name : "?", (long long)(blocked / CLOCK_MILLISECOND), words);
	/* Without an answer the hub's thread may be writing the frames. */
	if (has_found)
		length += backtrace_write(
			text + length, sizeof text - length, watched->frames, watched->count);
	borrow(STDERR_FILENO);
	if (log != STDERR_FILENO)
		borrow(log);
	if (hooks != NULL && hooks->blocked != NULL)
		hooks->blocked(blocked, text, hooks->context);
	else
		log_lines(text, length);
	kernel_close(STDERR_FILENO);
	if (log != STDERR_FILENO)
		kernel_close(log);
}

/* ---- is it the hub, or the machine? ---- */

/* Whether the hub stands still because its thread gets no CPU, so that its coroutine is not to
 * blame. A coroutine that has used more CPU time than a few fair steps take is to blame, however
 * long it took to get that time: where a container may use a third of a CPU, or the machine serves
 * others, it computes for 30 of 100 ms. */
static bool
is_starved(const struct watched *watched)
{
	return task_is_runnable(TASK_OF_OURS, watched->tid) &&
	       time_used(watched) - watched->used < watched->next_report / STARVED_PART;
}

/* Makes the hub look at its clock at the next opportunity: it skips many, and its calls may have
 * become slow. A hub skips many only while the watchdog attends to it; the last time, when it was
 * not busy of late, takes that permission back. Returns whether the hub is attended to. */
static bool
attend(struct hub *hub, int64_t now)
{
	struct watched *watched = &hub->watched;

	if (__atomic_load_n(&hub->counters->busy_since, __ATOMIC_RELAXED) != 0)
		__atomic_store_n(&watched->attended_until, now + OF_LATE, __ATOMIC_RELAXED);
	hub_count_ticks(hub, 1);
	__atomic_store_n(watched->due_calls, 1, __ATOMIC_RELAXED);
	return now < watched->attended_until;
}

/* Reports the hub if it has been busy without a switch for too long. */
static void
look_at(struct hub *hub, int64_t now)
{
	struct watched *watched = &hub->watched;
	uint64_t taken = __atomic_load_n(&hub->taken, __ATOMIC_RELAXED);
	int64_t busy_since = __atomic_load_n(&hub->counters->busy_since, __ATOMIC_RELAXED);

	if (busy_since == 0 || taken != watched->taken || busy_since != watched->busy_since ||
		atomic_load_explicit(&watched->is_expected, memory_order_relaxed)) {
		watched->taken = taken;
		watched->busy_since = busy_since;
		watched->since = now;
		watched->used = time_used(watched);
		watched->next_report = limit;
	} else if (limit > 0 && now - watched->since >= watched->next_report &&
		   !is_starved(watched)) {
		watched->next_report *= 10;
		report(hub, now - watched->since);
	}
}

/* Waits until the next look: if a limit is set, a quarter of it at most while a hub is busy. The
 * mutex is locked. */
static void
pause_for(bool is_attended)
{
	int64_t pause = is_attended ? LOOK_OFTEN : LOOK_SELDOM;
	int64_t most = is_attended ? limit / 4 : limit;
	int64_t end;
	struct timespec until;

	if (limit > 0 && pause > most)
		pause = most;
	if (pause < CLOCK_MILLISECOND)
		pause = CLOCK_MILLISECOND;
	end = clock_now() + pause;
	until = (struct timespec){end / CLOCK_SECOND, end % CLOCK_SECOND};
	pthread_cond_clockwait(&changed, &mutex, CLOCK_MONOTONIC, &until);
}

static void *
watch(void *argument)
{
	int64_t looked = clock_now();

	pthread_setname_np(pthread_self(), "watchdog");
	/* A descriptor table of its own: so in a process with one hub the kernel looks fds up
	 * without counting references. An empty table: so this thread keeps no file of the process
	 * open. */
	kernel_close_range(0, ~0U, CLOSE_RANGE_UNSHARE);
	pthread_mutex_lock(&mutex);
	while (!list_is_empty(&hubs)) {
		int64_t now = clock_now();
		bool is_attended = false;

		/* This thread was stopped, too, with the process or the machine: what it saw before
		 * means nothing. */
		if ((now - looked) / 2 > limit)
			LIST_EACH (link, &hubs)
				CONTAINER_OF(link, struct watched, link)->taken = UINT64_MAX;
		looked = now;

		LIST_EACH (link, &hubs) {
			struct hub *hub = CONTAINER_OF(link, struct hub, watched.link);

			is_attended |= attend(hub, now);
			look_at(hub, now);
		}
		pause_for(is_attended);
	}
	is_running = false;
	pthread_mutex_unlock(&mutex);
	return argument;
}

/* ---- starting ---- */

/* Installs the handler of SIGURG, unless it is there. */
static void
take_signal(void)
{
	struct sigaction action = {.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK};
	struct sigaction present;

	if (kernel_sigaction(SIGURG, NULL, &present) == 0 && (present.sa_flags & SA_SIGINFO) &&
		present.sa_sigaction == on_signal)
		return;
	action.sa_sigaction = on_signal;
	sigemptyset(&action.sa_mask);
	kernel_sigaction(SIGURG, &action, &before);
}

/* Starts what the hubs need: the handler, and the watchdog's thread, without which they run
 * unwatched. The mutex is locked. */
static void
start(void)
{
	if (limit > 0 && !list_is_empty(&hubs))
		take_signal();
	if (!is_running && !list_is_empty(&hubs))
		is_running = quiet_thread_start(STACK_SIZE, watch, NULL) == 0;
}

void
watchdog_watch(struct hub *hub)
{
	struct watched *watched = &hub->watched;

	pthread_mutex_lock(&mutex);
	if (limit < 0)
		limit = setting_number("HUBBUB_WATCHDOG", 0, TIME_MOST, TIME_DEFAULT) *
			CLOCK_MILLISECOND;
	watched->thread = pthread_self();
	watched->tid = kernel_gettid();
	watched->since = clock_now();
	watched->next_report = limit;
	watched->due_calls = &hub_due_calls;
	list_append(&hubs, &watched->link);
	start();
	/* A new hub counts as busy. */
	watched->attended_until = is_running ? watched->since + OF_LATE : 0;
	pthread_cond_signal(&changed);
	pthread_mutex_unlock(&mutex);
}

void
watchdog_unwatch(struct hub *hub)
{
	pthread_mutex_lock(&mutex);
	list_remove(&hub->watched.link);
	pthread_mutex_unlock(&mutex);
}

/* In a forked child, which has no hubs and no watchdog's thread. */
static void
reset(void)
{
	mutex = (pthread_mutex_t)PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
	pthread_cond_init(&changed, NULL);
	list_init(&hubs);
	is_running = false;
}

static __attribute__((constructor(200))) void
register_reset(void)
{
	fork_on_child(reset);
}

void
watchdog_set_hooks(struct hub *hub, const struct hub_hooks *hooks)
{
	pthread_mutex_lock(&mutex);
	__atomic_store_n(&hub->hooks, hooks, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&mutex);
}

void
hub_watchdog(int64_t nanoseconds)
{
	pthread_mutex_lock(&mutex);
	limit = nanoseconds > 0 ? nanoseconds : 0;
	LIST_EACH (link, &hubs)
		CONTAINER_OF(link, struct watched, link)->next_report = limit;
	start();
	pthread_cond_signal(&changed);
	pthread_mutex_unlock(&mutex);
}

void
hub_expect_blocking(bool is_expected)
{
	CHECK_WHY(hub_this != NULL, "hub_expect_blocking in a thread without a hub");
	atomic_store_explicit(&hub_this->watched.is_expected, is_expected, memory_order_relaxed);
}
