#include "worker/pin.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <sched.h>

static cpu_set_t allowed;

static void
begin(void)
{
	cr_assert_eq(sched_getaffinity(0, sizeof allowed, &allowed), 0);
}

TestSuite(pin, .init = begin);

Test(pin, hubs_take_the_cpus_that_there_are_in_turn)
{
	unsigned count = (unsigned)CPU_COUNT(&allowed), hub = 0;

	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &allowed))
			cr_assert_eq(pin_choose(hub++), cpu);
	cr_assert_eq(hub, count);
	cr_assert_eq(pin_choose(count), pin_choose(0));
	cr_assert_eq(pin_choose(2 * count + 1), pin_choose(1));
}

Test(pin, who_is_pinned_may_use_one_cpu)
{
	int last = pin_choose((unsigned)CPU_COUNT(&allowed) - 1);
	cpu_set_t own;

	cr_assert_eq(pin_to(last), 0);
	cr_assert_eq(sched_getaffinity(0, sizeof own, &own), 0);
	cr_assert_eq(CPU_COUNT(&own), 1);
	cr_assert(CPU_ISSET(last, &own));
	cr_assert_eq(sched_getcpu(), last);
	cr_assert_eq(pin_choose(0), last, "no other is left");
	cr_assert_eq(pin_choose(1), last);
}

Test(pin, a_cpu_that_the_machine_does_not_have_is_refused)
{
	if (CPU_ISSET(CPU_SETSIZE - 1, &allowed))
		cr_skip("it has as many as a set can hold");
	cr_assert_eq(pin_to(CPU_SETSIZE - 1), -1);
	cr_assert_eq(errno, EINVAL);
}
