/* A dump of all coroutines: every hub writes its own to one file, in any order. One dump at a time;
 * whoever asks meanwhile shares it. No dump depends on a worker: it ends after three seconds
 * without the hubs that hang. */
#ifndef HUBBUB_FACE_DUMP_H
#define HUBBUB_FACE_DUMP_H

#include <ev.h>
#include <stddef.h>
#include <stdint.h>

#define DUMP_MOST ((size_t)12 << 20) /* bytes of a dump; what is behind them is left out */

struct dump;
struct master;

/* A dump is over, with what the hubs have written by then; lost says what is missing of it, or is
 * NULL. */
typedef void dump_heard(struct dump *dump, const char *text, size_t size, const char *lost);

struct dump {
	struct master *master;
	dump_heard *on_over;
	int file;          /* the memfd that hubs write to; -1 without a dump */
	int64_t number;    /* of this dump; hubs repeat it */
	unsigned expected; /* hubs that were asked */
	unsigned done;     /* hubs that have written */
	unsigned missed;   /* hubs that cannot, without a file descriptor */
	ev_timer over;     /* the end of its time */
};

/* Prepares; no dump is under way. */
void dump_init(struct dump *dump, struct master *master, dump_heard *on_over);

/* Begins a dump, unless one is under way; on_over is called later. Returns 0, or -1 with errno. */
int dump_begin(struct dump *dump);

/* A hub has written its coroutines for the dump of that number. */
void dump_done(struct dump *dump, int64_t number);

/* So many hubs will not write for that dump, because their worker had no file descriptor left. */
void dump_missed(struct dump *dump, int64_t number, unsigned hubs);

/* Ends the dump that is under way; nobody is told. */
void dump_fini(struct dump *dump);

#endif
