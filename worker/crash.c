/* The handlers run on the alternate signal stack, and do only what is async-signal-safe: they copy
 * the coroutine's name byte by byte, and write the frames straight into shared memory. A row
 * records its first signal only; after that the former handler, or the kernel, ends the process. */
#include "worker/crash.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "hub/coroutine.h"
#include "hub/debug/backtrace.h"

static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
static struct sigaction previous[NSIG];
static struct worker_row *process_row;
/* initial-exec: the handler reads this without a call of the dynamic linker, which could
 * allocate. */
static _Thread_local struct worker_row *thread_row __attribute__((tls_model("initial-exec")));

/* A child process that a service has forked is no part of the worker: its crash would be taken for
 * that of the worker's own death. */
static void
forget(void)
{
	process_row = thread_row = NULL;
}

static void
record(struct worker_crash *crash, int number, const siginfo_t *information, void *context)
{
	const struct hub_coroutine *current = hub_current();
	const char *name = current != NULL ? hub_name(current) : "";

	crash->code = information->si_code;
	crash->address = (uint64_t)(uintptr_t)information->si_addr;
	for (size_t i = 0; i + 1 < sizeof crash->coroutine && name[i] != '\0'; i++)
		crash->coroutine[i] = name[i];
	crash->frame_count = (uint32_t)backtrace_of_signal(context, crash->frames, CRASH_FRAMES);
	__atomic_store_n(&crash->signal, number, __ATOMIC_RELEASE);
}

static void
on_crash(int number, siginfo_t *information, void *context)
{
	struct worker_row *row = thread_row != NULL ? thread_row : process_row;

	if (row != NULL && row->crash.signal == 0)
		record(&row->crash, number, information, context);
	/* A fault happens again when the handler returns; a signal from kill(2) or raise(3) must be
	 * sent again. */
	sigaction(number, &previous[number], NULL);
	if (information->si_code <= 0)
		raise(number);
}

void
crash_install(struct worker_row *row)
{
	struct sigaction action = {.sa_flags = SA_SIGINFO | SA_ONSTACK};

	process_row = row;
	pthread_atfork(NULL, NULL, forget);
	action.sa_sigaction = on_crash;
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
		sigaction(signals[i], &action, &previous[signals[i]]);
}

void
crash_use_row(struct worker_row *row)
{
	thread_row = row;
}
