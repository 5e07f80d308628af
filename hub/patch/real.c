/* libc's functions, looked up with dlsym(RTLD_NEXT). `real` is complete once is_ready is set
 * (release), and does not change after that. */
#include "hub/patch/real_priv.h"

#include <dlfcn.h>
#include <string.h>

struct real real;

/* Copied as bytes, as dlsym(3) advises: ISO C does not convert an object pointer to a function
 * pointer. */
static void
find(void *pointer, const char *name)
{
	void *address = dlsym(RTLD_NEXT, name);

	memcpy(pointer, &address, sizeof address);
}

/* Several threads may do this at once: each stores the same addresses. */
void
real_find(void)
{
#define FIND(kind, family, result, name, parameters, arguments) find(&real.name, #name);
	PATCH_CALLS(FIND)
#undef FIND
	find(&real.fcntl, "fcntl");
	find(&real.ioctl, "ioctl");
	find(&real.exit, "exit");
	find(&real.pthread_exit, "pthread_exit");
	find(&real.pthread_testcancel, "pthread_testcancel");
	find(&real.register_cancel, "__pthread_register_cancel");
	find(&real.unregister_cancel, "__pthread_unregister_cancel");
	find(&real.unwind_next, "__pthread_unwind_next");
	__atomic_store_n(&real.is_ready, true, __ATOMIC_RELEASE);
}
