/* The command line of every server, and what the environment says in its place. */
#ifndef HUBBUB_START_OPTIONS_H
#define HUBBUB_START_OPTIONS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "master/server.h"
#include "master/start/options_rows.h"

/* Parses argv, in which @FILE stands for a file of further arguments, one a line, and the
 * environment, and sets the service's options in its context. is_again: on a reload, when addresses
 * are not resolved, and --help is an error. Returns 0, or -1 with a line in error. Free with
 * options_free in any case. */
int options_read(struct options *options, int argc, char **argv,
	const struct hubbub_service *service, bool is_again, char *error, size_t error_size);

/* The same at the start: bad usage is printed to stderr and ends the process with 2; --help and
 * --version print and end it with 0. */
void options_parse(
	struct options *options, int argc, char **argv, const struct hubbub_service *service);

/* Logs a warning of each variable in the environment that is nearly an option. */
void options_warn(const struct hubbub_service *service);

/* Prints all settings, as --print-config does. */
void options_print(
	const struct options *options, const struct hubbub_service *service, FILE *stream);

/* Puts what they set for the whole process into that state: the service's context, and the log. */
void options_use(const struct options *options, const struct hubbub_service *service);

void options_free(struct options *options);

#endif
