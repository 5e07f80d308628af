/* The result of functions that fail as system calls do. */
#ifndef HUBBUB_BASE_FAILED_H
#define HUBBUB_BASE_FAILED_H

#include <errno.h>

/* Returns 0 if error is 0; else sets errno to error, and returns -1. */
static inline int
failed(int error)
{
	if (__builtin_expect(error == 0, 1))
		return 0;
	errno = error;
	return -1;
}

#endif
