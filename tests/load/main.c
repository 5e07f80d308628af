/* hubbub-load: loads a service, verifies its replies, and judges its own part in what it
 * measured. main picks the command by its first argument; without one the command is "run". */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "master/base/output.h"
#include "master/base/oversize.h"
#include "tests/load/ask/complete.h"
#include "tests/load/ask/options.h"
#include "tests/load/run/commands.h"
#include "tests/load/run/preflight.h"

static int
check(int argc, char **argv)
{
	struct load load;

	options_parse(&load, argc, argv, OPTIONS_CHECK);
	complete_load(&load);
	return preflight_check(&load);
}

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {
	{"run", command_run},
	{"search", command_search},
	{"sweep", command_sweep},
	{"compare", command_compare},
	{"merge", command_merge},
	{"report", command_report},
	{"check", check},
};

int
main(int argc, char **argv)
{
	output_guard();
	oversize_survive();
	for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof commands[0]; i++)
		if (strcmp(argv[1], commands[i].name) == 0) {
			argv[1] = argv[0];
			return commands[i].run(argc - 1, argv + 1);
		}
	return command_run(argc, argv);
}
