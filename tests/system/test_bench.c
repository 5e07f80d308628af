/* hubbub-bench prints what scripts read; no test asserts its numbers. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <string.h>

#include "tests/support/program.h"

Test(bench, hub_prints_an_object_a_line, .timeout = 600)
{
	static const char *const names[] = {"switch_direct_ns", "yield_ns", "spawn_finish_ns",
		"parked_bytes", "queue_putget_ns", "channel_ns", "event_wake_1000_ns",
		"mailbox_p50_ns", "eventfd_p50_ns", "timeout_scope_ns"};
	char *argv[] = {program_path("hubbub-bench"), "hub", "--json", "--rounds=1", NULL};
	static struct program program;
	unsigned found = 0;

	cr_assert(program_start(&program, argv, 0));
	cr_assert_eq(program_wait(&program, 300), 0, "%s", program.text);
	for (char *line = strtok(program.text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
		json_t *object = json_loads(line, 0, NULL);

		cr_assert_not_null(object, "%s", line);
		cr_assert(json_is_number(json_object_get(object, "value")));
		cr_assert(json_is_string(json_object_get(object, "unit")));
		for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
			found += strcmp(json_string_value(json_object_get(object, "name")),
					 names[i]) == 0;
		json_decref(object);
	}
	cr_assert_eq(found, sizeof names / sizeof *names);
	program_end(&program);
}
