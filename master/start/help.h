/* The options that every program has: -h, -?, --help, --usage, -V and --version. argp has them,
 * too, but for -h, and with hidden ones that it offers as possibilities of what is ambiguous. */
#ifndef HUBBUB_START_HELP_H
#define HUBBUB_START_HELP_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>

#define HELP_OPTIONS_MAX 4

/* Stores them, without -h if that is another option's letter. Returns how many. */
size_t help_lay_out(struct argp_option options[static HELP_OPTIONS_MAX], bool h_is_taken);

/* If the key is one of theirs, prints what is asked for and ends the process; the version is what
 * argp_program_version_hook or argp_program_version says. The exit code is 1 if that could not be
 * written. Otherwise it returns. */
void help_take(int key, struct argp_state *state);

#endif
