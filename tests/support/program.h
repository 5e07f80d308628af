/* Starts, watches and stops programs of the build. */
#ifndef HUBBUB_TESTS_PROGRAM_H
#define HUBBUB_TESTS_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define PROGRAM_OUTPUT_SIZE (64 * 1024)

struct program {
	pid_t pid;   /* 0 after it has been reaped */
	pid_t group; /* its process group */
	int output;  /* the reading end of its stdout and stderr */
	int port;    /* port in its ready line; 0: not known */
	/* What it has printed so far, as a string; the oldest half is dropped when it is full. */
	char text[PROGRAM_OUTPUT_SIZE];
	size_t length; /* of text */
};

/* The path of a program of the build under test, such as "hubbub-echo"; static until the next
 * call. */
char *program_path(const char *name);

/* Whether the programs under test are built with a sanitizer. */
bool program_is_sanitized(void);

/* Sanitizers need much memory: a machine that runs short of it may stall for half a minute. */
#define SANITIZED_PATIENCE 10

/* How long, in seconds, the waits below and those of clients really last. Less than a second is a
 * look at the present state, which is not prolonged. More is SANITIZED_PATIENCE times as long with
 * a sanitizer; and from PATIENT on, where the wait is only for what must happen, it is a minute at
 * least: a process may not be scheduled for seconds. */
double program_patience(double seconds);

#define PATIENT 5 /* seconds */

/* Starts argv[0] with the arguments argv, ended by NULL, in a process group of its own, with files
 * as its hard limit on open files (0: unchanged). Returns whether it was started. */
bool program_start(struct program *program, char *const argv[], unsigned files);

/* Reads output until program->text contains text, or seconds have passed. Returns whether it
 * does. */
bool program_expect(struct program *program, const char *text, double seconds);

/* Drops what the program has printed until now, be it read or not. */
void program_forget(struct program *program);

/* Starts hubbub-echo on a free port of loopback, with further options (ended by NULL), and waits
 * for its ready line. Returns whether it serves. */
bool program_start_echo(struct program *program, ...) __attribute__((sentinel));

/* Waits for the program to end, reading its output meanwhile. Returns its exit code, 128 + signal,
 * or -1 if it has not ended after so many seconds. */
int program_wait(struct program *program, double seconds);

/* Sends the signal, and waits as program_wait. Returns -1 if the program has been reaped
 * already. */
int program_stop(struct program *program, int signal, double seconds);

/* Kills the program's process group, with the children that it left behind, and frees all that is
 * held. */
void program_end(struct program *program);

/* How many lines it has printed, of what has been read. */
int program_lines(const struct program *program);

/* Stores the pids of at most max children of a process. Returns how many were stored. */
int program_children(pid_t pid, pid_t *children, int max);

/* The resident memory of a process, in bytes; and how many file descriptors it has open. 0 if the
 * process is gone. */
long program_memory(pid_t pid);
int program_files(pid_t pid);

/* Whether the process has the file open that has this path now. */
bool program_holds(pid_t pid, const char *path);

/* Whether the process *(pid_t *)pid is dead, reaped or not. A condition for wait_until. */
bool program_is_gone(void *pid);

/* How many file descriptors of a process are listening sockets, or unconnected UDP sockets. */
int program_listeners(pid_t pid);

/* Polls until condition(context) is true or seconds have passed. Returns the condition's last
 * value. */
bool wait_until(bool (*condition)(void *context), void *context, double seconds);

#endif
