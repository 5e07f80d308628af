/* Starting, watching and stopping the real programs. */
#ifndef HUBBUB_TESTS_PROGRAM_H
#define HUBBUB_TESTS_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define PROGRAM_OUTPUT_SIZE (64 * 1024)

struct program {
	pid_t pid;                      /* 0 once it was awaited */
	pid_t group;                    /* its process group */
	int output;                     /* stdout and stderr of the program, to read */
	int port;                       /* from its ready line, or 0 */
	char text[PROGRAM_OUTPUT_SIZE]; /* what it has printed so far, as a string */
	size_t length;
};

/* The path of a program of this build ("hubbub-echo"), static until the next call. */
char *program_path(const char *name);

/* Whether those programs have a sanitizer, as tests/run builds them. Then all that is waited for
 * below for a second or more has SANITIZED_PATIENCE times as long. */
bool program_is_sanitized(void);

/* Sanitizers need much memory, and a machine that is short of it stands still for half a minute. */
#define SANITIZED_PATIENCE 10

/* Starts argv[0] with these arguments, ended by NULL, in a process group of its own, with a hard
 * file limit of files (0: unchanged). Returns whether it was started. */
bool program_start(struct program *program, char *const argv[], unsigned files);

/* Reads output until it holds text or seconds have passed. Returns whether it does. */
bool program_expect(struct program *program, const char *text, double seconds);

/* program_start of hubbub-echo on a free port, with more options (ended by NULL), and waits for its
 * ready line. Returns whether it serves. */
bool program_start_echo(struct program *program, ...) __attribute__((sentinel));

/* Waits for the program to end, reading its output meanwhile. Returns its exit code, 128 + signal,
 * or -1 if it has not ended after seconds. */
int program_wait(struct program *program, double seconds);

/* Sends the signal and waits. */
int program_stop(struct program *program, int signal, double seconds);

/* Kills the program's whole process group, also what it has left, and frees what it held. */
void program_end(struct program *program);

/* The children of a process. Returns how many were stored. */
int program_children(pid_t pid, pid_t *children, int max);

/* What a process has in memory, in bytes, and how many descriptors it has open; 0 if it is gone. */
long program_memory(pid_t pid);
int program_files(pid_t pid);

/* Whether the process, a pid_t, is dead, reaped or not; for wait_until. */
bool program_is_gone(void *pid);

/* How many of its descriptors take connections or datagrams. */
int program_listeners(pid_t pid);

/* Polls until condition(context) or seconds have passed; returns its last answer. */
bool wait_until(bool (*condition)(void *context), void *context, double seconds);

#endif
