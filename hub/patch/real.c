#include "hub/patch/real_priv.h"

#include <dlfcn.h>
#include <string.h>

struct real real;

/* As dlsym(3) tells to: a function's address is not an object's in C. */
static void
find(void *pointer, const char *name)
{
	void *address = dlsym(RTLD_NEXT, name);

	memcpy(pointer, &address, sizeof address);
}

/* Several threads may do this at once: each stores the same. */
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
