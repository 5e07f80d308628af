/* <hubbub/sim.h>: a simulated world: a hub that runs in virtual time on a simulated kernel, where
 * everything that may happen is drawn from a seed. The same seed gives the same run, so a bug that
 * one run in a thousand shows is found by trying a thousand seeds, and then repeats.
 *
 *	static void *body(void *argument) { ... }	any code that runs in hub_run
 *
 *	if (hub_sim_search(1, 1000, &hub_sim_trouble, body, argument) != 0)
 *		... hub_sim_report() says what is wrong, and how to repeat it ...
 *
 * Link with -lhubbub-sim in the place of -lhubbub-hub. A hub_sleep of a day takes no time. Within
 * the run the calls of libc that make, name, use and close sockets, pipes, eventfds and timerfds,
 * look at several of them, and that ask for the time, reach the simulated kernel. Those that block
 * the thread (connect, sleep, poll for a time, read without O_NONBLOCK) are an error of the run, as
 * are processes and threads (fork, exec, pthread_create). Files are the real ones, but for those
 * below options->directory; the streams of stdio, too.
 *
 * A body that finds something wrong calls hub_sim_check or hub_sim_fail, or returns hub_fail(...):
 * on a coroutine's stack the assertions of test frameworks are undefined. With trouble calls fail
 * in good programs, so it tells an error from a wrong result. A run also fails if
 * something is left that the program has not given back, such as a descriptor, if nothing can end
 * the wait of its first coroutine, or if the hub itself has lost a wake, a byte or a permit. */
#ifndef HUBBUB_SIM_H
#define HUBBUB_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hubbub/record.h>

HUBBUB_API_BEGIN

/* How often trouble happens: once in so many calls, on the average; 0: never. */
struct hub_sim_options {
	unsigned interrupted; /* a call fails with EINTR */
	unsigned not_ready;   /* a call on a ready descriptor fails with EAGAIN */
	unsigned partial;     /* a transfer takes only a part */
	unsigned spurious;    /* the loop reports a descriptor that is not ready */
	unsigned no_memory;   /* a call fails with ENOMEM or ENOBUFS, where it may */
	unsigned no_files;    /* a call that makes a descriptor fails with EMFILE or ENFILE */
	unsigned refused;     /* a call fails with any other errno that its manual page names */
	unsigned reset;       /* a connection is reset by the network */
	/* Of coroutines that the loop made runnable at once, another than the first runs; or a
	 * coroutine is slow, so that its slice ends: once in so many switches. */
	unsigned reordered;
	/* What only programs bear that know of it; once in so many waits. A coroutine of
	 * hub_sim_may_kill is killed; a scope expires before its time; a descriptor of
	 * hub_sim_may_close is closed, and its number perhaps used again. */
	unsigned killed;
	unsigned expired;
	unsigned closed;
	unsigned allocation; /* memory is refused, to the hub and to hub_sim_malloc */
	/* Clocks of hosts: at most by how much each runs fast or slow, one part in so many; and how
	 * often CLOCK_REALTIME jumps, by hours at most: once in so many looks. */
	unsigned drift, jump;
	unsigned partition; /* a packet to another host; none arrives there for a while */
	unsigned preempted; /* another hub goes on first, at a call of the kernel */
	int64_t delay;      /* nanoseconds that a packet takes at most; 0: a millisecond */
	int ports;          /* that clients of each host may have at one peer; 0: 28232 */
	int files;          /* descriptors that may be open; 0: 1024 */
	/* An absolute path: what is below it are files of the world, in memory. NULL: none are. */
	const char *directory;
	int64_t longest; /* nanoseconds that the world may last; 0: a week */
	/* That the first coroutine gets EDEADLK, since nothing can wake it, is no failure of the
	 * run, but the program's affair. */
	bool may_deadlock;
	void *room[6]; /* for later versions: NULL */
};

/* The options with which everything happens now and then. */
extern const struct hub_sim_options hub_sim_trouble;

/* Runs body(argument) as the first coroutine of a hub, in a world of its own, as hub_run would; the
 * world ends with it. options NULL: a world without trouble.
 * Switches: not a coroutine's call; it blocks the thread.  Thread: one run at a time in a process.
 * Returns 0; or -1 with errno of hub_run, EBUSY (a world exists), EINVAL (an option that cannot be,
 * or body is NULL: the report is a sentence that says what may be), or ENOTRECOVERABLE:
 * something is wrong, or the program has done what the world cannot
 * simulate. hub_sim_report says what. A run that cannot end prints the report, with what coroutines
 * wait for, to stderr, and aborts: if they wait for what never happens, if the world has lasted too
 * long, or if they have only yielded for ten seconds of the world, while nothing happened. */
int hub_sim_run(uint64_t seed, const struct hub_sim_options *options, hub_fn *body, void *argument);

/* Runs the seeds from first to last, each in a child process, until one fails; what body changes
 * in memory is lost, so it says what is wrong by hub_sim_fail. Then that seed runs again and again
 * with less trouble, as long as it fails in the same way; hub_sim_report tells of the last of these
 * runs, and how to repeat it: with HUBBUB_SEED in the environment only that seed runs, and with
 * HUBBUB_ONLY only the trouble that it names happens. A run that ends its process has failed, and
 * one that takes a minute of CPU time is ended by SIGXCPU.
 * Switches: not a coroutine's call; it blocks the thread.
 * Returns 0; or -1 with errno ENOTRECOVERABLE (a seed has failed), EINVAL (as hub_sim_run; also:
 * first is greater than last, HUBBUB_SEED is no number, or HUBBUB_ONLY is not from a report), EBUSY
 * (a world exists), ENOMEM or EAGAIN. The report says why nothing ran, too. */
int hub_sim_search(uint64_t first, uint64_t last, const struct hub_sim_options *options,
	hub_fn *body, void *argument);

/* HUBBUB_SEED of the environment; or otherwise, if it is not set: for loops of hub_sim_run. It
 * aborts with a message if it is set to what is no whole number. Switches: no.  Errors: none. */
uint64_t hub_sim_seed(uint64_t otherwise);

/* ---- several hubs ---- */

/* Another hub of the world, which stands for one in a thread, or on a host, of its own. */
struct hub_sim_hub;

/* Starts a hub on the host of that name, which comes into being if there is none; NULL: in another
 * thread of the caller's host. It runs body(argument) as its first coroutine, as hub_run would in a
 * thread of its own, with thread-local variables and an errno of its own. Which hub goes on is
 * drawn whenever one polls, and by the option preempted at its calls of the kernel. The first hub's
 * host is "first". A host has an address of IPv4 and one of IPv6, to which its name resolves, and
 * loopback and Unix sockets of its own. The run ends when all hubs have ended;
 * it fails if one was not joined, or its first coroutine has failed.
 * Switches: no.  Ownership: the caller must join the hub.
 * Returns NULL with errno EPERM (outside of a world) or ENOMEM. */
struct hub_sim_hub *hub_sim_start(const char *host, hub_fn *body, void *argument);

/* Waits until the hub has ended, stores its result where result is not NULL, and frees it.
 * Switches: yes, unless it has ended already.  Thread: any hub's of the world.
 * Returns 0, or -1 with errno ECANCELED, ETIMEDOUT or EPERM (the hub must still be joined). */
int hub_sim_join(struct hub_sim_hub *hub, void **result);

/* Parts two hosts: no packet of one reaches the other, until they are joined again. What a TCP
 * connection sends meanwhile arrives afterwards, or fails after some twelve minutes with
 * ETIMEDOUT. Both come into being if there are none of these names. Outside of a run it does
 * nothing. Switches: no.  Errors: none. */
void hub_sim_partition(const char *one, const char *other, bool are_parted);

/* CLOCK_REALTIME of the caller's host jumps, as if somebody had set it. Outside of a run it does
 * nothing. Switches: no.  Errors: none. */
void hub_sim_jump(int64_t nanoseconds);

/* ---- what was seen ---- */

/* What the last run has found, its last fifty events, and the command that repeats it, in lines;
 * static, until the next run. Descriptors have the numbers that the program sees. A coroutine has
 * a number from 1 on, behind that of its hub if that is not the first (2/7), and the name that
 * hub_set_name has given, or that of the function that it runs. Of a run that hangs, or gets
 * EDEADLK, it also has where each coroutine waits, and for which object: #1 is the same wherever it
 * stands.
 * Switches: no.  Errors: none. */
const char *hub_sim_report(void);

/* An event of the program's own, in the report and in the trace, by a format of printf and what it
 * wants; cut to 159 bytes. A note must not have an address, or other things that no seed decides.
 * Switches: no.  Thread: that of the run; outside of one it does nothing.  Errors: none. */
void hub_sim_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The run fails, for the reason that is given by a format of printf and what it wants; the program
 * goes on. Only the first reason counts.
 * Switches: no.  Thread: that of the run; outside of one it does nothing.  Errors: none. */
void hub_sim_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* As hub_sim_fail, unless is_right. This is what a body has in the place of an assertion: those of
 * a test framework leave a test by longjmp or an exception, which on a coroutine's stack is
 * undefined. Returns is_right, so that a body that has nothing more to do returns.
 * Switches: no.  Thread: that of the run.  Errors: none. */
bool hub_sim_check(bool is_right, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A number that stands for all that has happened in the last run, or in the present one: equal for
 * equal seeds. Switches: no.  Errors: none. */
uint64_t hub_sim_trace(void);

/* A number below limit, drawn from the seed: for bodies that do things at random. 0 outside of a
 * run. Switches: no.  Errors: none. */
uint64_t hub_sim_draw(uint64_t limit);

/* As their namesakes of libc, but refused now and then, by options->allocation. A program whose own
 * allocations are to fail, too, is compiled with -Dmalloc=hub_sim_malloc -Dcalloc=hub_sim_calloc
 * -Drealloc=hub_sim_realloc, as the hub is. Switches: no.  Ownership: the caller frees it, by free.
 * Returns NULL with errno ENOMEM. */
void *hub_sim_malloc(size_t size);

/* As hub_sim_malloc. Switches: no. */
void *hub_sim_calloc(size_t count, size_t size);

/* As hub_sim_malloc. Switches: no. */
void *hub_sim_realloc(void *memory, size_t size);

/* The world may kill the coroutine while it waits, as hub_kill does, if the option killed says so.
 * Switches: no.  Thread: the coroutine's, in a run. */
void hub_sim_may_kill(struct hub_coroutine *coroutine);

/* The world may close *fd while a coroutine waits for it, as another coroutine would by hub_close,
 * if the option closed says so; then *fd becomes -1. If the number is used again, and the program
 * or the hub still reads, writes or closes it, the run fails.
 * Switches: no.  Thread: a hub's, in a run.  Ownership: fd is borrowed until *fd is closed. */
void hub_sim_may_close(int *fd);

HUBBUB_API_END

#endif
