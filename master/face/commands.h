/* The table of commands, one a line. All that depends on the set of commands is made from it: what
 * the server runs (requests.c); what hubbub-ctl checks, sends and lists in its help (ctl/), and so
 * its manual page and completions; the errors that name commands; and the tests.
 *
 *	COMMAND(name, argument, kind, help)
 *
 *	argument	NOTHING; SHAPE: PROCESSESxTHREADS; or SECONDS, which may be left out
 *	kind		ANSWERS at once, also when another master has taken over
 *			CHANGES the server, and is answered when the change has ended
 *			ENDS the server, which ends the connection
 *			DUMPS: is answered when all hubs have written
 *			RECORDS: is answered at once, with the rings of the hubs' flight recorders
 *			(worker/recorders.h), which hubbub-ctl reads
 *			WATCHES, WAITS: hubbub-ctl's own, which asks for the status again and
 *			again; the server does not know it */
#ifndef HUBBUB_FACE_COMMANDS_H
#define HUBBUB_FACE_COMMANDS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* clang-format off */
#define COMMANDS(COMMAND) \
	COMMAND(status, NOTHING, ANSWERS, "print the state; exits 0 only when the server is ready") \
	COMMAND(help, NOTHING, ANSWERS, "list all commands, of the server's service, too") \
	COMMAND(wait, NOTHING, WAITS, "wait until the server is ready, also while it starts") \
	COMMAND(scale, SHAPE, CHANGES, "change to PROCESSESxTHREADS, such as 2x4; returns when done") \
	COMMAND(reload, NOTHING, CHANGES, "replace all workers, reading the options and @FILEs again") \
	COMMAND(upgrade, NOTHING, CHANGES, "hand over to the program now at the server's path") \
	COMMAND(drain, NOTHING, ENDS, "stop gracefully; returns when the server has ended") \
	COMMAND(stop, NOTHING, ENDS, "stop at once") \
	COMMAND(stacks, NOTHING, DUMPS, "print every coroutine of every hub, and where it waits") \
	COMMAND(trace, SECONDS, RECORDS, "record what hubs do into a file for ui.perfetto.dev") \
	COMMAND(top, NOTHING, WATCHES, "watch the state on the whole screen")
/* clang-format on */

#define COMMAND_NUMBER(name, argument, kind, help) COMMAND_##name,
enum { COMMANDS(COMMAND_NUMBER) COMMAND_MAX };
#undef COMMAND_NUMBER

/* What a command takes, and how it is answered, as explained above. */
enum command_argument { COMMAND_NOTHING, COMMAND_SHAPE, COMMAND_SECONDS };
enum command_kind {
	COMMAND_ANSWERS,
	COMMAND_CHANGES,
	COMMAND_ENDS,
	COMMAND_DUMPS,
	COMMAND_RECORDS,
	COMMAND_WATCHES,
	COMMAND_WAITS
};

/* A row of the table. */
struct command {
	const char *name;
	enum command_argument argument;
	enum command_kind kind;
	const char *help;
};

#define COMMANDS_LIST_SIZE 256 /* bytes of the list of all names */
#define COMMANDS_ERROR_SIZE 128
#define COMMANDS_LINE_SIZE 4096 /* bytes of a command with its arguments, and a newline */

extern const struct command commands_table[COMMAND_MAX];

/* Returns the command of that name, static, or NULL. */
const struct command *commands_find(const char *name);

/* Whether the command is hubbub-ctl's own, and the server does not know it. */
bool commands_is_own(const struct command *command);

/* Writes the names of all commands as "status, scale and reload". */
void commands_list(char list[static COMMANDS_LIST_SIZE]);

/* Prints a line of help for each command. */
void commands_print(FILE *stream);

/* Checks the argument of a command; "" is no argument. Returns 0, or -1 with a sentence in
 * error. */
int commands_check(const struct command *command, const char *argument,
	char error[static COMMANDS_ERROR_SIZE]);

/* The most seconds for which hubs may be asked to record. */
#define COMMANDS_SECONDS_MOST 3600

/* Reads seconds such as "2" or "0.5", above 0 and up to their limit, as nanoseconds. Returns 0, or -1
 * if text is anything else. */
int commands_read_seconds(const char *text, int64_t *nanoseconds);

/* Reads "2x4", both numbers from 1 to their limits. Returns 0, or -1 if text is anything else. */
int commands_read_shape(const char *text, unsigned *processes, unsigned *threads);

#endif
