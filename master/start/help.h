/* The options of every program: -h, -?, --help, --help-all, --usage, -V and --version. argp's own
 * have no -h, and include hidden options that it offers when an abbreviation is ambiguous. */
#ifndef HUBBUB_START_HELP_H
#define HUBBUB_START_HELP_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>

#define HELP_OPTIONS_MAX 5

/* Stores the options' rows for argp, without -h if that is another option's letter. Returns how
 * many. */
size_t help_lay_out(struct argp_option options[static HELP_OPTIONS_MAX], bool h_is_taken);

/* Whether the key asks for the help that may leave options out. */
bool help_is_short(int key);

/* If key is that of one of these options, prints the help, the usage or the version, and ends the
 * process with 0, or with 1 if the output could not be written. Any other key returns. The version
 * is printed by argp_program_version_hook, or is argp_program_version. */
void help_take(int key, struct argp_state *state);

#endif
