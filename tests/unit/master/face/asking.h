/* A master that asks workers for commands of a service; the test is the workers. Commands have the
 * arguments "a" and "b". */
#ifndef HUBBUB_TESTS_UNIT_MASTER_FACE_ASKING_H
#define HUBBUB_TESTS_UNIT_MASTER_FACE_ASKING_H

#include <stdbool.h>

#include "master/face/ask.h"
#include "master/fleet/slot.h"
#include "tests/unit/master/quiet.h"

#define WORKERS 3

/* Rows of the commands: of one worker, and of each. */
enum { ONE, EACH };

extern struct quiet quiet;
extern struct slot slots[WORKERS];
extern struct slot_hub hubs[WORKERS];
extern int ends[WORKERS]; /* the workers' ends of their channels */
/* What was answered. */
extern unsigned answers;
extern enum ask_end last;
extern char text[512]; /* "output|why" */

void asking_begin(void);
void asking_end(void);

/* Asks for the command of that row, as one of that many questions. Returns NULL, or why it cannot
 * be. */
const char *ask_of(unsigned most, unsigned row);
const char *ask(unsigned row);

/* The socket that a worker was sent, or -1. */
int take(unsigned worker, unsigned row);

/* Lets the loop run. */
void turn(void);

/* Answers as a worker that has run the command. */
void answer_as(int socket, const char *output, const char *why, bool is_bad_usage);
void answer(int socket, const char *output, const char *why);

#endif
