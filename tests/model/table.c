/* Prints the table of master/fleet/supervision.h in Promela, for generations.pml: its states,
 * events and actions as mtypes, each of its cells as a line. So the model's transitions are the
 * master's. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "hub/base/check.h"
#include "master/fleet/supervision.h"

#define NAME(name) [SUPERVISION_##name] = #name

static const char *const states[SUPERVISION_STATE_MAX] = {
	NAME(DEAD), NAME(STARTING), NAME(READY), NAME(HUNG), NAME(DRAINING), NAME(BACKING_OFF)};

static const char *const events[SUPERVISION_EVENT_MAX] = {NAME(START), NAME(FORK_FAILED),
	NAME(ALL_READY), NAME(SILENT), NAME(HEARD), NAME(HANG_TIMEOUT), NAME(EXIT),
	NAME(PAUSE_OVER), NAME(LEAVE)};

static const char *const actions[SUPERVISION_ACTION_MAX] = {NAME(NOTHING), NAME(SPAWN),
	NAME(BACK_OFF), NAME(SERVE), NAME(STEER_AROUND), NAME(REJOIN), NAME(KILL), NAME(REPLACE),
	NAME(TELL), NAME(RETIRE), NAME(GIVE_UP_PAUSE)};

void
check_failed(const char *file, int line, const char *what, const char *why)
{
	fprintf(stderr, "%s:%d: %s (%s)\n", file, line, what, why);
	exit(1);
}

static void
print_names(const char *const *names, unsigned count)
{
	printf("mtype = {");
	for (unsigned i = 0; i < count; i++) {
		CHECK_WHY(names[i] != NULL, "tests/model/table.c lacks a name");
		printf("%s %s", i > 0 ? "," : "", names[i]);
	}
	printf(" };\n");
}

static void
print_cells(void)
{
	printf("\ninline supervision_step(from, event)\n{\n\tif\n");
	for (int state = 0; state < SUPERVISION_STATE_MAX; state++) {
		for (int event = 0; event < SUPERVISION_EVENT_MAX; event++) {
			struct supervision_cell cell = supervision_step(state, event);

			printf("\t:: from == %s && event == %s -> action = %s; becomes = %s\n",
				states[state], events[event], actions[cell.action],
				states[cell.next]);
		}
	}
	printf("\tfi\n}\n");
}

static void
print_what_can_come(void)
{
	printf("\n#define supervision_can_come(from, event) (");
	for (int state = 0; state < SUPERVISION_STATE_MAX; state++)
		for (int event = 0; event < SUPERVISION_EVENT_MAX; event++)
			if (supervision_can_come(state, event))
				printf("\\\n\t(from == %s && event == %s) || ", states[state],
					events[event]);
	printf("false)\n");
}

int
main(void)
{
	print_names(states, SUPERVISION_STATE_MAX);
	print_names(events, SUPERVISION_EVENT_MAX);
	print_names(actions, SUPERVISION_ACTION_MAX);
	print_cells();
	print_what_can_come();
	return 0;
}
