/* Running hubbub-load, and reading its result. */
#ifndef HUBBUB_TESTS_LOADER_H
#define HUBBUB_TESTS_LOADER_H

#include <jansson.h>
#include <stdbool.h>

#include "tests/support/folder.h"
#include "tests/support/program.h"

struct loader {
	struct program program;
	char folder[FOLDER_SIZE]; /* for its files; the result is result.json */
	unsigned files;           /* limit on its open files; 0: unchanged */
	json_t *result;
	char path[FOLDER_SIZE + 64];
};

/* Starts it with "127.0.0.1:port" (0: none), "-o", the result's path, and more options, ended by
 * NULL; only a lag of 10 s makes its measurement invalid. Returns whether it was started. */
bool loader_start(struct loader *loader, int port, ...) __attribute__((sentinel));

/* Waits for its end and reads the result, if there is one. Returns the exit code. */
int loader_wait(struct loader *loader, double seconds);

/* loader_start and loader_wait, at most a minute. */
int loader_run(struct loader *loader, int port, ...) __attribute__((sentinel));

/* A number of the result by a path of keys, such as "latency_ns.response.p99"; -1 if it is not
 * there. */
double loader_number(const struct loader *loader, const char *path);

/* The path of a file in its folder, static until the next call. */
char *loader_file(struct loader *loader, const char *name);

/* Kills what still runs, and frees what it held. */
void loader_clean(struct loader *loader);

#endif
