/* The median of a few numbers. */
#ifndef HUBBUB_LOAD_MEDIAN_H
#define HUBBUB_LOAD_MEDIAN_H

#include <stddef.h>

/* The median of count values, at least 1. Sorts the array. */
double median(double *values, size_t count);

/* Compares two doubles, for qsort. */
int median_order(const void *a, const void *b);

#endif
