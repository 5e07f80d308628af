/* A server that is changed, with a file of its arguments: what the tests of reloads, upgrades and
 * all changes have in common. */
#ifndef HUBBUB_TESTS_SYSTEM_CHANGING_H
#define HUBBUB_TESTS_SYSTEM_CHANGING_H

#include "tests/support/folder.h"
#include "tests/support/server.h"

extern struct server server;
extern char output[PROGRAM_OUTPUT_SIZE]; /* of the last changing_ctl */
extern char folder[FOLDER_SIZE];
/* The file of arguments, and the argument that names it, "@FILE". */
extern char arguments[96], argument[100];

/* The option with which what the service prints can be compared line by line. */
#define BARE "--capture-output=off"

/* The fixture: makes the directory; ends the server, and removes the directory. */
void changing_begin(void);
void changing_end(void);

/* Writes the file of arguments anew. */
void changing_write(const char *text);

/* Runs hubbub-ctl with that command. Returns its exit code. */
int changing_ctl(const char *command);

/* How often the server has printed a text so far; and whether it has printed both, the one
 * first. */
unsigned changing_count(const char *text);
bool changing_is_before(const char *one, const char *other);

/* Reads what the server prints until it has printed a text so many times. Returns whether it
 * has. */
bool changing_expect(const char *text, unsigned times);

/* Whether a new connection answers the text with what is expected. */
bool changing_answers(const char *text, const char *expected);

/* Whether the server serves, by the master of that pid_t, and no change is under way. */
bool changing_is_as_before(void *master);

#endif
