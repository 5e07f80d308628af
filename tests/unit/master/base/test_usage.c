#include "master/base/usage.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "tests/support/nap.h"

#define MUCH (32 << 20)

Test(usage, of_a_process_that_computes_and_of_one_that_has_ended)
{
	pid_t child = fork();

	if (child == 0)
		for (;;)
			continue;
	while (usage_cpu(child) < 50 * CLOCK_MILLISECOND)
		nap(.001);
	kill(child, SIGKILL);
	cr_assert_eq(waitpid(child, NULL, 0), child);
	cr_assert_eq(usage_cpu(child), -1);
	cr_assert_eq(usage_memory(child), -1);
}

static char *
map(int flags)
{
	char *memory = mmap(NULL, MUCH, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | flags, -1, 0);

	cr_assert_neq(memory, MAP_FAILED);
	memset(memory, 1, MUCH);
	return memory;
}

Test(usage, of_memory_that_is_shared_is_nobody_s_own)
{
	int64_t before = usage_memory(getpid());
	char *memory = map(MAP_SHARED);

	cr_assert_gt(before, 0);
	cr_assert_lt(usage_memory(getpid()) - before, MUCH / 2);
	munmap(memory, MUCH);
	memory = map(MAP_PRIVATE);
	cr_assert_gt(usage_memory(getpid()) - before, MUCH / 2);
	munmap(memory, MUCH);
}
