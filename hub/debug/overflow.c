/* One handler of SIGSEGV for the process, and a signal stack for each thread that runs a hub. The
 * handler reports an overflow and passes every fault on to the action that was there before. It
 * calls async-signal-safe functions alone. */
#include "hub/debug/overflow_priv.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hub/base/kernel.h"
#include "hub/base/log.h"
#include "hub/scheduler_priv.h"

#define SIGNAL_STACK_SIZE ((size_t)64 * 1024)

static struct sigaction previous_action;
static pthread_once_t handler_once = PTHREAD_ONCE_INIT;
static _Thread_local void *signal_stack;

/* A line of text, put together by hand: snprintf is not async-signal-safe. */
struct line {
	char text[320];
	size_t length;
};

static void
line_add(struct line *line, const char *text)
{
	while (*text != '\0' && line->length < sizeof line->text - 1)
		line->text[line->length++] = *text++;
}

static void
line_add_number(struct line *line, size_t number)
{
	char digits[24], *digit = digits + sizeof digits - 1;

	*digit = '\0';
	do {
		*--digit = (char)('0' + number % 10);
		number /= 10;
	} while (number != 0);
	line_add(line, digit);
}

static void
report(const struct hub_coroutine *coroutine)
{
	struct line line = {.length = 0};

	line_add(&line, "hubbub: stack overflow in coroutine \"");
	line_add(&line, coroutine->name);
	line_add(&line, "\": its stack is ");
	line_add_number(&line, (size_t)(coroutine->stack.end - coroutine->stack.low) / 1024);
	line_add(&line, " KiB; run the hub with a larger one (stack_size, --stack-size, or "
			"HUBBUB_STACK_SIZE=1M in the environment)");
	line.text[line.length] = '\0';
	log_fault(line.text);
}

static void
on_fault(int signal, siginfo_t *information, void *context)
{
	const struct hub *hub = hub_this;

	(void)context;
	if (hub != NULL && hub->current != &hub->root &&
		stack_guards(&hub->current->stack, information->si_addr))
		report(hub->current);
	/* When the handler returns, the fault happens again and meets the action that was there
	 * before. A signal that another process has sent does not happen again: it is raised. */
	kernel_sigaction(SIGSEGV, &previous_action, NULL);
	if (information->si_code <= 0)
		kernel_raise(signal);
}

static void
handler_install(void)
{
	struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};

	sigemptyset(&action.sa_mask);
	kernel_sigaction(SIGSEGV, &action, &previous_action);
}

int
overflow_thread_start(void)
{
	stack_t stack;

	pthread_once(&handler_once, handler_install);
	/* A signal stack that the program has installed does as well. */
	if (kernel_sigaltstack(NULL, &stack) == 0 && !(stack.ss_flags & SS_DISABLE))
		return 0;
	signal_stack = kernel_mmap(NULL, SIGNAL_STACK_SIZE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (signal_stack == MAP_FAILED) {
		signal_stack = NULL;
		return -1;
	}
	stack = (stack_t){.ss_sp = signal_stack, .ss_size = SIGNAL_STACK_SIZE};
	kernel_sigaltstack(&stack, NULL);
	return 0;
}

void
overflow_thread_stop(void)
{
	stack_t off = {.ss_flags = SS_DISABLE};

	if (signal_stack == NULL)
		return;
	kernel_sigaltstack(&off, NULL);
	kernel_munmap(signal_stack, SIGNAL_STACK_SIZE);
	signal_stack = NULL;
}
