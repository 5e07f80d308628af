/* Peers of the context switch: Boost's fcontext, and the C library's ucontext. */
#include <stdint.h>
#include <stdlib.h>
#include <ucontext.h>

#include "hub/base/clock.h"
#include "tests/bench/bench.h"

#define PEER_STACK_SIZE ((size_t)64 * 1024)

#ifdef HUBBUB_HAS_FCONTEXT
/* As <boost/context/detail/fcontext.hpp> declares them, for C. */
typedef struct {
	void *context;
	void *data;
} fcontext_transfer;

fcontext_transfer jump_fcontext(void *to, void *data);
void *make_fcontext(void *top, size_t size, void (*entry)(fcontext_transfer));

static void
fcontext_entry(fcontext_transfer transfer)
{
	for (;;)
		transfer = jump_fcontext(transfer.context, transfer.data);
}

double
peer_fcontext_switch(unsigned long switches)
{
	char *stack = malloc(PEER_STACK_SIZE);
	fcontext_transfer transfer = {
		make_fcontext(stack + PEER_STACK_SIZE, PEER_STACK_SIZE, fcontext_entry), NULL};
	int64_t began = clock_now();

	for (unsigned long i = 0; i < switches / 2; i++)
		transfer = jump_fcontext(transfer.context, NULL);
	began = clock_now() - began;
	free(stack);
	return (double)began / (double)switches;
}
#else
double
peer_fcontext_switch(unsigned long switches)
{
	(void)switches;
	return -1;
}
#endif

static ucontext_t ucontext_main, ucontext_other;

static void
ucontext_entry(void)
{
	for (;;)
		swapcontext(&ucontext_other, &ucontext_main);
}

double
peer_ucontext_switch(unsigned long switches)
{
	char *stack = malloc(PEER_STACK_SIZE);
	int64_t began;

	getcontext(&ucontext_other);
	ucontext_other.uc_stack.ss_sp = stack;
	ucontext_other.uc_stack.ss_size = PEER_STACK_SIZE;
	makecontext(&ucontext_other, ucontext_entry, 0);
	began = clock_now();
	for (unsigned long i = 0; i < switches / 2; i++)
		swapcontext(&ucontext_main, &ucontext_other);
	began = clock_now() - began;
	free(stack);
	return (double)began / (double)switches;
}
