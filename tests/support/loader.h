/* Runs hubbub-load and reads its result. */
#ifndef HUBBUB_TESTS_LOADER_H
#define HUBBUB_TESTS_LOADER_H

#include <jansson.h>
#include <stdbool.h>

#include "tests/support/folder.h"
#include "tests/support/program.h"

struct loader {
	struct program program;
	char folder[FOLDER_SIZE];    /* directory of its files; the result is result.json */
	unsigned files;              /* its limit on open files; 0: unchanged */
	json_t *result;              /* after loader_wait; NULL: none. Freed by loader_clean. */
	char path[FOLDER_SIZE + 64]; /* what loader_file has returned */
};

/* Starts hubbub-load with the target "127.0.0.1:port" (none for 0), "-o" with the result's path,
 * and further options, ended by NULL. A lag of up to 10 s does not make the measurement invalid.
 * Returns whether it was started. */
bool loader_start(struct loader *loader, int port, ...) __attribute__((sentinel));

/* Waits until the run, which prints its intervals, has lasted for so many seconds. Returns whether
 * it has. */
bool loader_lasts(struct loader *loader, double seconds);

/* Waits for the program's end and reads the result, if there is one. Returns the exit code, as
 * program_wait. */
int loader_wait(struct loader *loader, double seconds);

/* loader_start, and loader_wait for at most five minutes. Returns -1 if it was not started. */
int loader_run(struct loader *loader, int port, ...) __attribute__((sentinel));

/* The number at a path of keys in the result, such as "latency_ns.response.p99"; -1 if there is
 * none. */
double loader_number(const struct loader *loader, const char *path);

/* The verdict of the result, such as "pass"; "(no result)" without one. */
const char *loader_verdict(const struct loader *loader);

/* Whether there is a result, and no number in the text is NaN or infinite, which JSON cannot
 * express. */
bool loader_is_finite(const struct loader *loader);

/* The path of a file in the loader's directory, static until the next call for the same loader. */
char *loader_file(struct loader *loader, const char *name);

/* Kills the program if it still runs, and frees all that the loader holds. */
void loader_clean(struct loader *loader);

#endif
