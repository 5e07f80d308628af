#include "tests/unit/worker/shared.h"

#include <criterion/criterion.h>
#include <unistd.h>

struct counters *counters;
int shared_file;

void
shared_begin(void)
{
	counters = counters_new(&shared_file);
	cr_assert_not_null(counters);
}

void
shared_end(void)
{
	counters_free(&counters);
	close(shared_file);
}
