/* nanosleep continues with the rest after each signal. */
#include "tests/support/nap.h"

#include <time.h>

void
nap(double seconds)
{
	time_t whole = (time_t)seconds;
	struct timespec left = {whole, (long)((seconds - (double)whole) * 1e9)};

	while (seconds > 0 && nanosleep(&left, &left) != 0)
		continue;
}
