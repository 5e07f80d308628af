/* Sorts, and takes the middle. The order is by comparison, not by subtraction, which would
 * round. */
#include "tests/load/count/median.h"

#include <stdlib.h>

int
median_order(const void *a, const void *b)
{
	const double *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

double
median(double *values, size_t count)
{
	qsort(values, count, sizeof *values, median_order);
	return count % 2 == 1 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}
