/* Walking stacks by libunwind, and writing frames as "function+0x12 (object+0x3456)". Only threads
 * that run hubs walk, and a walk never switches; any thread may write. */
#include "hub/debug/backtrace_priv.h"

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <ucontext.h>

#include "hub/base/kernel.h"
#include "hub/debug/symbol_priv.h"

#ifdef HUBBUB_UNWIND
/* libunwind (1.6) checks doubtful addresses by a pipe, which it opens at its first call, whatever
 * that is for. If it finds the pipe's fds closed, it closes those numbers and opens another pipe,
 * even though a thread may have a descriptor table of its own. So only threads that run hubs call
 * it, to walk. The watchdog's thread, which has its own table, finds names without it
 * (symbol.c). */
#define UNW_LOCAL_ONLY
#include <libunwind.h>

static size_t
walk(unw_context_t *context, int flags, void **frames, size_t most)
{
	unw_cursor_t cursor;
	size_t count = 0;
	unw_word_t address;
	bool has_frame;

	/* libunwind reads and writes. Where hub/patch stands before libc, these calls must not let
	 * other coroutines run, least of all in a signal handler. */
	bypass_begin();
	has_frame = unw_init_local2(&cursor, context, flags) == 0;
	while (has_frame && count < most && unw_get_reg(&cursor, UNW_REG_IP, &address) == 0 &&
		address != 0) {
		frames[count++] = (void *)address;
		has_frame = unw_step(&cursor) > 0;
	}
	bypass_end();
	return count;
}

size_t
backtrace_of_signal(void *context, void **frames, size_t most)
{
	return walk(context, UNW_INIT_SIGNAL_FRAME, frames, most);
}

/* On both architectures libunwind's context is the kernel's. */
size_t
backtrace_of_context(const struct arch_context *context, void **frames, size_t most)
{
	ucontext_t registers;

	memset(&registers, 0, sizeof registers);
#if defined(__x86_64__)
	registers.uc_mcontext.gregs[REG_RSP] = (greg_t)(uintptr_t)context->sp;
	registers.uc_mcontext.gregs[REG_RBP] = (greg_t)(uintptr_t)context->fp;
	registers.uc_mcontext.gregs[REG_RIP] = (greg_t)(uintptr_t)context->ip;
#elif defined(__aarch64__)
	registers.uc_mcontext.sp = (uintptr_t)context->sp;
	registers.uc_mcontext.regs[29] = (uintptr_t)context->fp;
	registers.uc_mcontext.pc = (uintptr_t)context->ip;
#endif
	return walk((unw_context_t *)&registers, 0, frames, most);
}
#else
size_t
backtrace_of_signal(void *context, void **frames, size_t most)
{
	(void)context, (void)frames, (void)most;
	return 0;
}

size_t
backtrace_of_context(const struct arch_context *context, void **frames, size_t most)
{
	(void)context, (void)frames, (void)most;
	return 0;
}
#endif

static size_t
write_function(char *text, size_t size, const void *address)
{
	size_t offset;
	char name[128];

	if (symbol_find(address, name, sizeof name, &offset) == 0)
		return (size_t)snprintf(text, size, "?");
	return (size_t)snprintf(text, size, "%s+0x%lx", name, (unsigned long)offset);
}

/* The length that is in the buffer, when snprintf has returned this length. */
static size_t
written(size_t length, size_t size)
{
	return length < size ? length : size - 1;
}

size_t
backtrace_write_address(char *text, size_t size, const void *address)
{
	size_t length = written(write_function(text, size, address), size);
	const char *file = "?";
	const void *base = NULL;
	Dl_info info;

	if (dladdr(address, &info) != 0 && info.dli_fname != NULL) {
		file = strrchr(info.dli_fname, '/');
		file = file != NULL ? file + 1 : info.dli_fname;
		base = info.dli_fbase;
	}
	length += written((size_t)snprintf(text + length, size - length, " (%s+0x%lx)", file,
				  (unsigned long)((uintptr_t)address - (uintptr_t)base)),
		size - length);
	return length;
}

size_t
backtrace_write(char *text, size_t size, void *const *frames, size_t count)
{
	size_t length = 0;

	text[0] = '\0';
	for (size_t i = 0; i < count && size - length > 80; i++) {
		length += written((size_t)snprintf(text + length, size - length, "    #%-2zu ", i),
			size - length);
		length += backtrace_write_address(text + length, size - length - 2, frames[i]);
		text[length++] = '\n';
		text[length] = '\0';
	}
	return length;
}
