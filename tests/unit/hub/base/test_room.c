/* What a program of a later version asks for, in fields that are still room here, is refused. */
#include <criterion/criterion.h>
#include <errno.h>
#include <hubbub/hub.h>
#include <hubbub/server.h>
#include <stdlib.h>

#include "hub/base/room.h"
#include "tests/support/in_hub.h"
#include "tests/support/trace.h"

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
	options.room[2] = &options;
	cr_assert_eq(hub_run_with(&options, finish, NULL, NULL), -1);
	cr_assert_eq(errno, EINVAL);
	hub_set_hooks(&hooks);
	hooks.room[7] = &hooks;
	errno = 0;
	cr_assert_null(hub_set_hooks(&hooks));
	cr_assert_eq(errno, EINVAL);
	hub_set_hooks(NULL);
}

static void *
fill_all(void *argument)
{
	char *command[] = {"true", NULL};
	struct hub_server_options server = {.room = {NULL, argument}};
	struct hub_process_options process = {.room = {argument}};
	struct hub_event event = {.is_set = true};
	struct hub_case one = hub_case_event(&event);

	one.room[1] = argument;
	trace_pointer("server", hub_stream_server_new(0, NULL, NULL, &server));
	trace_pointer("process", hub_process_start(command, &process));
	trace_call("select", hub_select(&one, 1, 0));
	return NULL;
}

Test(room, of_what_calls_are_given_is_null)
{
	int something;

	in_hub(fill_all, &something);
	cr_assert_str_eq(trace_text(), "server EINVAL, process EINVAL, select EINVAL");
}
