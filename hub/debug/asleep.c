/* Reads the kernel's files about the thread, and copies its stack: any word there that could be a
 * return address counts as one, so no unwind tables are needed. The thread may go on at any moment,
 * so nothing of its stack is read directly. */
#include "hub/debug/asleep_priv.h"

#include <elf.h>
#include <link.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "hub/base/kernel.h"
#include "hub/base/task.h"

/* So many words of the stack are searched, 16 KiB: a larger frame hides its callers. */
#define WORDS ((size_t)2048)

/* Whether the system call is restarted after every signal handler, so that its caller sees nothing
 * of the signal. A futex with a time (the fourth argument) is not; nor are reads and writes, which
 * return if they are half done, or on a socket with a timeout. */
static bool
begins_anew(long number, unsigned long fourth)
{
	return (number == SYS_futex && fourth == 0) || number == SYS_wait4 ||
	       number == SYS_waitid || number == SYS_flock;
}

enum thread_place
thread_look(pid_t tid, struct asleep *asleep)
{
	char line[256], *rest = line;
	unsigned long values[8] = {0};
	long number;

	*asleep = (struct asleep){0};
	if (!task_read(TASK_OF_OURS, tid, "syscall", line, sizeof line))
		return task_is_runnable(TASK_OF_OURS, tid) ? THREAD_RUNS : THREAD_SLEEPS;
	if (line[0] == 'r')
		return THREAD_RUNS;
	/* The number of the system call, six arguments, the stack pointer and the address; in a
	 * page fault, -1 and the last two. */
	number = strtol(rest, &rest, 10);
	for (unsigned i = number == -1 ? 6 : 0; i < 8; i++)
		values[i] = strtoul(rest, &rest, 16);
	asleep->stack_pointer = (const void *const *)values[6];
	asleep->address = (const void *)values[7];
	return begins_anew(number, values[3]) ? THREAD_RESTARTS : THREAD_SLEEPS;
}

/* ---- return addresses ---- */

/* An address that may lie in the code of the program or a library. */
struct code {
	uintptr_t address;
	bool is_found;
};

static int
find_code(struct dl_phdr_info *object, size_t size, void *context)
{
	struct code *code = context;

	(void)size;
	for (int i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &object->dlpi_phdr[i];
		uintptr_t start = object->dlpi_addr + part->p_vaddr;

		/* Readable, too, and 8 bytes in: follows_call reads what precedes the address. */
		if (part->p_type == PT_LOAD && (part->p_flags & PF_X) && (part->p_flags & PF_R) &&
			code->address >= start + 8 && code->address < start + part->p_memsz)
			code->is_found = true;
	}
	return code->is_found;
}

/* Whether a call instruction ends right before this address, which lies in code. */
static bool
follows_call(const unsigned char *address)
{
#if defined(__x86_64__)
	/* An indirect call: FF, then a byte whose operation is 2; so long the instruction may
	 * be. */
	static const int lengths[] = {2, 3, 4, 6, 7};

	if (address[-5] == 0xe8)
		return true;
	for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++)
		if (address[-lengths[i]] == 0xff && ((address[1 - lengths[i]] >> 3) & 7) == 2)
			return true;
	return false;
#else
	/* BL, or BLR. */
	uint32_t instruction;

	memcpy(&instruction, address - 4, sizeof instruction);
	return ((uintptr_t)address & 3) == 0 &&
	       (instruction >> 26 == 0x25 || (instruction & 0xfffffc1f) == 0xd63f0000);
#endif
}

/* Copies words of the stack; returns how many. The kernel copies them, because the thread may go on
 * meanwhile on another stack: then memory between the two may be unmapped, or a guard. */
static size_t
read_words(const struct asleep *asleep, const void *stack_end, uintptr_t words[static WORDS])
{
	uintptr_t from = (uintptr_t)asleep->stack_pointer, end = (uintptr_t)stack_end;
	size_t count = end > from ? (end - from) / sizeof *words : 0;
	ssize_t length;

	if (from % sizeof *words != 0)
		return 0;
	if (count > WORDS)
		count = WORDS;
	length = kernel_read_own(words, asleep->stack_pointer, count * sizeof *words);
	return length > 0 ? (size_t)length / sizeof *words : 0;
}

size_t
asleep_callers(const struct asleep *asleep, const void *stack_end, void **frames, size_t most)
{
	uintptr_t words[WORDS];
	size_t found = 0, count;

	if (asleep->stack_pointer == NULL)
		return 0;
	frames[found++] = (void *)(uintptr_t)asleep->address;
	count = read_words(asleep, stack_end, words);
	for (size_t i = 0; i < count && found < most; i++) {
		struct code code = {words[i], false};

		/* No address, but a small number. */
		if (code.address < 4096)
			continue;
		dl_iterate_phdr(find_code, &code);
		if (code.is_found && follows_call((const unsigned char *)code.address))
			frames[found++] = (void *)code.address;
	}
	return found;
}
