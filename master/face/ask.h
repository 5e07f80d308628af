/* A question: a command of the service's own, which the master asks workers for on behalf of one of
 * its clients.
 *
 * Each worker that is asked has REPLY_PATIENCE, whatever becomes of it: a worker that is stopped,
 * hangs or dies costs its question alone. A question goes to the first ready worker of the
 * generation that serves, or to each of its workers in turn, also if one hangs, through a socket of
 * its own, of which the worker's death is the end. Workers that are not up, because they start, or
 * pause after a failure, are not waited for: once the others have run a command for each, its
 * answer is that these have not (ASK_LOST). No worker is asked twice. */
#ifndef HUBBUB_FACE_ASK_H
#define HUBBUB_FACE_ASK_H

#include <stdbool.h>
#include <stddef.h>

#include "worker/command.h"

#define ASK_MAX 8                   /* questions at a time */
#define ASK_MAX_PAGES (ASK_MAX - 3) /* of pages, which anyone may ask for: operators find a place */

struct ask;
struct master;

enum ask_end {
	ASK_DONE,    /* the command has succeeded */
	ASK_FAILED,  /* the command says that it has failed */
	ASK_REFUSED, /* the command says that its arguments are none */
	ASK_LOST,    /* a worker has ended without an answer, or, of a command for each, is not up;
		      * or the question was dropped */
	ASK_LATE,    /* a worker has not answered in time */
};

struct ask_answer {
	const struct ask *ask; /* gone when on_answer returns */
	enum ask_end end;
	const char *why; /* NULL if done */
	const char *output;
	size_t length;
};

typedef void ask_heard(const struct ask_answer *answer, void *context);

/* Asks for a command, a row of the service's table, with these arguments, each ended by a NUL, of
 * size bytes together. on_answer is called once, not before ask_begin has returned. Returns NULL
 * with *why if it cannot be asked, as when most questions, ASK_MAX or ASK_MAX_PAGES, are under
 * way. */
struct ask *ask_begin(struct master *master, unsigned most, const struct hubbub_command *command,
	const char *arguments, size_t size, ask_heard *on_answer, void *context, const char **why);

/* Ends all questions as ASK_LOST. */
void ask_drop_all(struct master *master);

#endif
