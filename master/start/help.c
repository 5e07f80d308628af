/* argp_state_help could exit by itself, but a help that cannot be written must exit with 1. So its
 * own exit is disabled, and output_end decides. */
#include "master/start/help.h"

#include <stdio.h>
#include <stdlib.h>

#include "master/base/output.h"

/* Neither letters nor keys of the table. */
#define KEY_USAGE 0x8000
#define KEY_HELP_ALL 0x8001
/* argp lists this group last. */
#define LAST_GROUP -1

size_t
help_lay_out(struct argp_option options[static HELP_OPTIONS_MAX], bool h_is_taken)
{
	size_t count = 0;

	options[count++] = (struct argp_option){
		"help", h_is_taken ? '?' : 'h', NULL, 0, "Give this help list", LAST_GROUP};
	if (!h_is_taken)
		options[count++] =
			(struct argp_option){NULL, '?', NULL, OPTION_HIDDEN, NULL, LAST_GROUP};
	options[count++] = (struct argp_option){
		"help-all", KEY_HELP_ALL, NULL, 0, "Give the help list of all options", LAST_GROUP};
	options[count++] = (struct argp_option){
		"usage", KEY_USAGE, NULL, 0, "Give a short usage message", LAST_GROUP};
	options[count++] =
		(struct argp_option){"version", 'V', NULL, 0, "Print program version", LAST_GROUP};
	return count;
}

bool
help_is_short(int key)
{
	return key == 'h' || key == '?';
}

/* With ARGP_NO_ERRS argp would print no help either. */
static void
print_help(struct argp_state *state, unsigned what)
{
	state->flags &= ~(unsigned)ARGP_NO_ERRS;
	argp_state_help(state, stdout, what);
}

void
help_take(int key, struct argp_state *state)
{
	if (help_is_short(key) || key == KEY_HELP_ALL)
		print_help(state, ARGP_HELP_STD_HELP & ~(unsigned)ARGP_HELP_EXIT_OK);
	else if (key == KEY_USAGE)
		print_help(state, ARGP_HELP_USAGE);
	else if (key == 'V' && argp_program_version_hook != NULL)
		argp_program_version_hook(stdout, state);
	else if (key == 'V')
		printf("%s\n", argp_program_version);
	else
		return;
	exit(output_end());
}
