/* A thread begins with its creator's signal mask. So the creator blocks all signals meanwhile:
 * there is no moment in which one could reach the new thread. Under hub/patch the thread is libc's
 * (a bypass), not a coroutine. */
#include "hub/base/quiet.h"

#include <pthread.h>
#include <signal.h>

#include "hub/base/kernel.h"

int
quiet_thread_start(size_t stack_size, void *(*run)(void *), void *argument)
{
	pthread_attr_t attributes;
	pthread_t thread;
	sigset_t all, before;
	int error;

	sigfillset(&all);
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, stack_size);
	bypass_begin();
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&thread, &attributes, run, argument);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	bypass_end();
	pthread_attr_destroy(&attributes);
	return error;
}
