/* The options of every server: its command line, @FILEs and environment variables. */
#ifndef HUBBUB_START_OPTIONS_H
#define HUBBUB_START_OPTIONS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "master/server.h"
#include "master/start/options_rows.h"

/* Reads argv, in which @FILE stands for a file of further arguments, one a line, and the
 * environment; writes options, and the service's own options into its context. is_again: on a
 * reload, names are not resolved, and --help is an error. May block, on the resolver, certificates
 * and files. Returns 0, or -1 with a line in error. In either case the caller frees options with
 * options_free. */
int options_read(struct options *options, int argc, char **argv,
	const struct hubbub_service *service, bool is_again, char *error, size_t error_size);

/* Ends a start whose service has a fault, before any option is read: prints it to stderr, as an
 * object if the command line, an @FILE or the environment asks for JSON. argv may be wrong, too.
 * May block on an @FILE, as options_read does. Returns the exit code. */
int options_refuse(int argc, char **argv, const char *fault);

/* Reads the options at the start of the process. Bad usage is printed to stderr, as an object if
 * --log-format=json is given anywhere, and ends the process with 2; --help and --version print, and
 * end it with 0. */
void options_parse(
	struct options *options, int argc, char **argv, const struct hubbub_service *service);

/* Logs a warning for each environment variable that is nearly, but not quite, one of an option. */
void options_warn(const struct hubbub_service *service);

/* Prints all settings in the form of an @FILE, as --print-config does. */
void options_print(
	const struct options *options, const struct hubbub_service *service, FILE *stream);

/* Makes these options the process's: copies their context to the service's, and sets up the log. */
void options_use(const struct options *options, const struct hubbub_service *service);

/* Frees all that options own, also after a failed reading. */
void options_free(struct options *options);

#endif
