/* With a C++ program: tests/deploy/link/cplusplus.cc. */
#include "hub/exceptions_priv.h"

#include <criterion/criterion.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/in_hub.h"

struct record {
	struct exceptions *of[3];
	bool is_kept;
	bool is_anew;
	int status;
};

static void *
note_own(void *argument)
{
	struct exceptions **own = argument;

	*own = exceptions_here();
	hub_sleep(0);
	if (*own != exceptions_here())
		*own = NULL;
	(*own)->caught = argument;
	return NULL;
}

static void *
look_at_slot(void *argument)
{
	struct record *record = argument;

	record->is_anew = exceptions_here()->caught == NULL;
	return NULL;
}

static void *
compare(void *argument)
{
	struct record *record = argument;
	struct hub_coroutine *one, *two;

	record->of[0] = exceptions_here();
	one = hub_spawn(note_own, &record->of[1]);
	two = hub_spawn(note_own, &record->of[2]);
	hub_join(one, NULL);
	hub_join(two, NULL);
	hub_join(hub_spawn(look_at_slot, record), NULL);
	record->of[0]->caught = record;
	if (fork() == 0)
		_exit(exceptions_here()->caught == record ? 0 : 1);
	wait(&record->status);
	record->of[0]->caught = NULL;
	return NULL;
}

Test(exceptions, each_coroutine_has_its_own_and_the_thread_too)
{
	struct exceptions *thread = exceptions_here();
	struct record record = {.status = -1};

	in_hub(compare, &record);
	for (int i = 0; i < 3; i++) {
		cr_assert_not_null(record.of[i]);
		cr_assert_neq(record.of[i], thread);
		cr_assert_neq(record.of[i], record.of[(i + 1) % 3]);
	}
	cr_assert(record.is_anew, "a slot that was used before is handling something");
	cr_assert_eq(record.status, 0, "a child does not have what its parent handled");
	cr_assert_eq(exceptions_here(), thread);
}
