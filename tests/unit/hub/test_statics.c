/* With a C++ program: tests/deploy/link/cplusplus.cc. */
#include "hub/statics_priv.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <unistd.h>

#include "tests/support/in_hub.h"

#define COUNT 4

/* As compilers make them: 8 bytes, of which the first is read. */
static union {
	int64_t guard;
	int word;
	atomic_char done;
} variable;

static atomic_int made, tries;

static void *
need(void *argument)
{
	long *failures = argument;

	if (atomic_load(&variable.done) || !statics_acquire(&variable.word))
		return NULL;
	hub_sleep(5 * HUB_MILLISECOND);
	if (*failures > 0) {
		--*failures;
		statics_abandon(&variable.word);
		return need(argument);
	}
	atomic_fetch_add(&made, 1);
	statics_release(&variable.word);
	return NULL;
}

static void *
need_all(void *argument)
{
	struct hub_coroutine *all[COUNT];

	for (int i = 0; i < COUNT; i++)
		all[i] = hub_spawn(need, argument);
	/* A killed one needs it as well as others. */
	hub_sleep(HUB_MILLISECOND);
	hub_kill(all[COUNT - 1]);
	for (int i = 0; i < COUNT; i++)
		hub_join(all[i], NULL);
	return NULL;
}

Test(statics, are_made_once_and_others_wait_as_coroutines, .timeout = 30)
{
	long failures = 0;

	in_hub(need_all, &failures);
	cr_assert_eq(made, 1);
	cr_assert(variable.done);
}

Test(statics, whose_initialiser_fails_are_made_by_the_next, .timeout = 30)
{
	long failures = 2;

	in_hub(need_all, &failures);
	cr_assert_eq(made, 1);
	cr_assert_eq(failures, 0);
}

static void *
in_thread(void *argument)
{
	long failures = 0;

	atomic_fetch_add(&tries, 1);
	if (argument == NULL)
		hub_run(need_all, &failures, NULL);
	else
		need(&failures);
	return NULL;
}

Test(statics, are_made_once_by_several_threads, .timeout = 60)
{
	pthread_t threads[COUNT];

	for (intptr_t i = 0; i < COUNT; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, in_thread, (void *)(i % 2)), 0);
	for (int i = 0; i < COUNT; i++)
		pthread_join(threads[i], NULL);
	cr_assert_eq(tries, COUNT);
	cr_assert_eq(made, 1);
}

static void *
need_itself(void *argument)
{
	statics_acquire(&variable.word);
	statics_acquire(&variable.word);
	return argument;
}

Test(statics, that_need_themselves_end_the_process, .timeout = 30, .signal = SIGABRT)
{
	hub_run(need_itself, NULL, NULL);
}
