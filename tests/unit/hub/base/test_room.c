/* What a program of a later version asks for, in fields that are still room here, is refused. */
#include <criterion/criterion.h>
#include <errno.h>
#include <hubbub/hub.h>
#include <hubbub/server.h>
#include <stdlib.h>

#include "hub/base/room.h"
#include "tests/support/in_hub.h"

static void *
finish(void *argument)
{
	return argument;
}

Test(room, of_a_hubs_options_and_hooks_is_null)
{
	struct hub_options options = {.stack_size = 65536};
	struct hub_hooks hooks = {0};

	cr_assert_eq(hub_run_with(&options, finish, NULL, NULL), 0);
	options.room[3] = &options;
	cr_assert_eq(hub_run_with(&options, finish, NULL, NULL), -1);
	cr_assert_eq(errno, EINVAL);
	hub_set_hooks(&hooks);
	hooks.room[7] = &hooks;
	errno = 0;
	cr_assert_null(hub_set_hooks(&hooks));
	cr_assert_eq(errno, EINVAL);
	hub_set_hooks(NULL);
}

struct record {
	int errors[3];
};

static void *
fill_all(void *argument)
{
	struct record *record = argument;
	char *command[] = {"true", NULL};
	struct hub_server_options server = {.room = {NULL, record}};
	struct hub_process_options process = {.room = {record}};
	struct hub_event event = {.is_set = true};
	struct hub_case one = hub_case_event(&event);

	one.room[1] = record;
	record->errors[0] = hub_stream_server_new(0, NULL, NULL, &server) == NULL ? errno : 0;
	record->errors[1] = hub_process_start(command, &process) == NULL ? errno : 0;
	record->errors[2] = hub_select(&one, 1, 0) == -1 ? errno : 0;
	return NULL;
}

Test(room, of_what_calls_are_given_is_null)
{
	struct record record = {{0}};

	in_hub(fill_all, &record);
	for (int i = 0; i < 3; i++)
		cr_assert_eq(record.errors[i], EINVAL, "%d: %d", i, record.errors[i]);
}
