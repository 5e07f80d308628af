/* How a call ends that fails as a system call does. */
#ifndef HUBBUB_BASE_FAILED_H
#define HUBBUB_BASE_FAILED_H

#include <errno.h>

/* What the call returns: 0 for 0, or -1 with this errno. */
static inline int
failed(int error)
{
	if (__builtin_expect(error == 0, 1))
		return 0;
	errno = error;
	return -1;
}

#endif
