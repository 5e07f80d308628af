#include "hub/base/quiet.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>

#define STACK_SIZE ((size_t)256 * 1024)

static sem_t done;
static sigset_t blocked;
static size_t stack_size;

static void *
look(void *argument)
{
	pthread_attr_t attributes;

	pthread_sigmask(SIG_SETMASK, NULL, &blocked);
	if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
		pthread_attr_getstacksize(&attributes, &stack_size);
		pthread_attr_destroy(&attributes);
	}
	sem_post(argument);
	return NULL;
}

Test(quiet, a_thread_has_all_signals_blocked_and_its_starter_none_more)
{
	sigset_t mask;

	sem_init(&done, 0, 0);
	cr_assert_eq(quiet_thread_start(STACK_SIZE, look, &done), 0);
	while (sem_wait(&done) != 0)
		continue;
	cr_assert(sigismember(&blocked, SIGTERM));
	cr_assert(sigismember(&blocked, SIGURG));
	cr_assert(sigismember(&blocked, SIGCHLD));
	cr_assert_geq(stack_size, STACK_SIZE);
	cr_assert_lt(stack_size, 2 * STACK_SIZE);
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	cr_assert_not(sigismember(&mask, SIGTERM));
}
