/* The median of a few numbers. */
#ifndef HUBBUB_LOAD_MEDIAN_H
#define HUBBUB_LOAD_MEDIAN_H

#include <stddef.h>

/* Sorts them on the way. There is at least one. */
double median(double *values, size_t count);

/* For qsort of doubles. */
int median_order(const void *a, const void *b);

#endif
