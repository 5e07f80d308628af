#include "worker/lease.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/worker/holder.h"
#include "worker/counters.h"
#include "worker/rights.h"

static struct counters *counters;
static int file;

static void
begin(void)
{
	counters = counters_new(&file);
	cr_assert_not_null(counters);
}

static void
end(void)
{
	counters_free(&counters);
	close(file);
}

TestSuite(lease, .init = begin, .fini = end, .timeout = 60);

Test(lease, is_held_by_one_process_until_it_dies)
{
	pid_t holder = holder_start("compact");

	cr_assert_neq(holder, 0);
	cr_assert_not(lease_take("compact"));
	kill(holder, SIGSTOP);
	cr_assert_eq(waitpid(holder, NULL, WUNTRACED), holder);
	cr_assert_not(lease_take("compact"), "a holder that stands still holds it");
	holder_end(holder);
	cr_assert(lease_take("compact"));
	cr_assert_eq(holder_start("compact"), 0);
}

Test(lease, of_another_name_is_another_one)
{
	pid_t holder = holder_start("compact");

	cr_assert_neq(holder, 0);
	cr_assert(lease_take("compacT"));
	cr_assert(lease_take(""));
	holder_end(holder);
}

Test(lease, that_is_given_back_can_be_taken)
{
	pid_t holder;

	cr_assert(lease_take("compact"));
	cr_assert(lease_take("expire"));
	lease_return("compact");
	holder = holder_start("compact");
	cr_assert_neq(holder, 0);
	holder_end(holder);
	cr_assert_eq(holder_start("expire"), 0);
}

Test(lease, is_on_a_byte_of_its_own)
{
	pid_t holder = holder_start("compact");

	cr_assert(rights_are_locked(file, rights_of_name("compact"), 1));
	cr_assert_not(rights_are_locked(file, 0, RIGHTS_TO_ANY + 1));
	cr_assert_gt(rights_of_name(""), RIGHTS_TO_ANY);
	holder_end(holder);
}
