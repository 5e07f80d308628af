/* Pointers to the C library's own functions, which this library's functions of the same names
 * hide. */
#ifndef HUBBUB_PATCH_REAL_PRIV_H
#define HUBBUB_PATCH_REAL_PRIV_H

#include <stdbool.h>

#include "hub/patch/calls.h"

#define POINTER(kind, family, result, name, parameters, arguments) result(*name) parameters;

struct real {
	bool is_ready;
	PATCH_CALLS(POINTER)
	int (*fcntl)(int fd, int command, ...);
	int (*ioctl)(int fd, unsigned long request, ...);
	void (*exit)(int status);
	void (*pthread_exit)(void *result);
	void (*pthread_testcancel)(void);
	void (*register_cancel)(__pthread_unwind_buf_t *buffer);
	void (*unregister_cancel)(__pthread_unwind_buf_t *buffer);
	void (*unwind_next)(__pthread_unwind_buf_t *buffer);
};

#undef POINTER

extern struct real real;

/* Looks all of them up. REAL calls it when a constructor of another library makes a patched call
 * before this library's own constructor has run. */
void real_find(void);

/* The C library's function of that name. */
#define REAL(name)                                                                                 \
	(__builtin_expect(__atomic_load_n(&real.is_ready, __ATOMIC_ACQUIRE), 1)                    \
			? real.name                                                                \
			: (real_find(), real.name))

#endif
