#include "hub/debug/asleep_priv.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "hub/base/kernel.h"

/* A frame that is larger, 16 KiB, ends the search. */
#define WORDS ((size_t)2048)

/* What begins anew after a handler has run, whatever it waits for, so that its caller sees nothing
 * of the signal. A futex with a time does not, nor reads and writes: those of a socket with a
 * time, or half done, return. */
static bool
begins_anew(long number, unsigned long fourth)
{
	return (number == SYS_futex && fourth == 0) || number == SYS_wait4 ||
	       number == SYS_waitid || number == SYS_flock;
}

/* Reads one of the kernel's files about the thread; returns whether there is anything in it. */
static bool
read_file(pid_t tid, const char *name, char *text, size_t size)
{
	char path[64];
	ssize_t length;
	int fd;

	snprintf(path, sizeof path, "/proc/self/task/%d/%s", (int)tid, name);
	fd = kernel_open(path, O_RDONLY | O_CLOEXEC, 0);
	if (fd == -1)
		return false;
	length = kernel_read(fd, text, size - 1);
	kernel_close(fd);
	text[length > 0 ? length : 0] = '\0';
	return length > 0;
}

bool
thread_is_runnable(pid_t tid)
{
	char line[512];
	const char *state;

	if (!read_file(tid, "stat", line, sizeof line))
		return false;
	/* After the name, which is in brackets and may hold anything. */
	state = strrchr(line, ')');
	return state != NULL && state[1] == ' ' && state[2] == 'R';
}

enum thread_place
thread_look(pid_t tid, struct asleep *asleep)
{
	char line[256], *rest = line;
	unsigned long values[8] = {0};
	long number;

	*asleep = (struct asleep){0};
	if (!read_file(tid, "syscall", line, sizeof line))
		return thread_is_runnable(tid) ? THREAD_RUNS : THREAD_SLEEPS;
	if (line[0] == 'r')
		return THREAD_RUNS;
	/* The number, six arguments, the stack pointer and the address; of a fault, -1 and those
	 * two. */
	number = strtol(rest, &rest, 10);
	for (unsigned i = number == -1 ? 6 : 0; i < 8; i++)
		values[i] = strtoul(rest, &rest, 16);
	asleep->stack_pointer = (const void *const *)values[6];
	asleep->address = (const void *)values[7];
	return begins_anew(number, values[3]) ? THREAD_RESTARTS : THREAD_SLEEPS;
}

/* ---- whom it will return to ---- */

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

		if (part->p_type == PT_LOAD && (part->p_flags & PF_X) && (part->p_flags & PF_R) &&
			code->address >= start + 8 && code->address < start + part->p_memsz)
			code->is_found = true;
	}
	return code->is_found;
}

/* Whether a call ends right before this address, which lies in code. */
static bool
follows_call(const unsigned char *address)
{
#if defined(__x86_64__)
	/* The two bytes that begin an indirect call: FF, and a second one with 2 as its operation.
	 */
	static const int lengths[] = {2, 3, 4, 6, 7};

	if (address[-5] == 0xe8)
		return true;
	for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++)
		if (address[-lengths[i]] == 0xff && ((address[1 - lengths[i]] >> 3) & 7) == 2)
			return true;
	return false;
#else
	uint32_t instruction;

	memcpy(&instruction, address - 4, sizeof instruction);
	return ((uintptr_t)address & 3) == 0 &&
	       (instruction >> 26 == 0x25 || (instruction & 0xfffffc1f) == 0xd63f0000);
#endif
}

/* Copies words of the stack; returns how many. The kernel reads them: a thread that goes on
 * meanwhile may run on another stack, and what lies between the two is nobody's, or a guard. */
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

		if (code.address < 4096)
			continue;
		dl_iterate_phdr(find_code, &code);
		if (code.is_found && follows_call((const unsigned char *)code.address))
			frames[found++] = (void *)code.address;
	}
	return found;
}
