/* Patching: what Python's gevent.monkey.patch_all() does, for C. With libhubbub-patch linked
 * (before the C library) or preloaded, calls of the C library that block, made by code that knows
 * nothing of hubs, suspend the coroutine that makes them instead of its thread. In a thread that
 * runs no hub, and wherever no coroutine runs, they are the C library's own.
 *
 * Linked, nothing is patched before hub_patch or hub_patch_all is called; preloaded, all families
 * are from the start, or those that HUBBUB_PATCH names ("all", "none", or names of families with
 * commas between: "socket,time,create"). HUBBUB_PATCH_REPORT=1 lists, at the end of the process and
 * on standard error, the calls that blocked a hub's thread all the same. The folder's README says
 * which calls there are, and what is out of reach. */
#ifndef HUBBUB_PATCH_PATCH_H
#define HUBBUB_PATCH_PATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "../api.h"

HUBBUB_API_BEGIN

/* Families of calls, as gevent has them. */
enum hub_patch_family {
	HUB_PATCH_OS = 1 << 0,         /* read, write and their kin, descriptors, fork */
	HUB_PATCH_TIME = 1 << 1,       /* sleep, usleep, nanosleep, clock_nanosleep */
	HUB_PATCH_SOCKET = 1 << 2,     /* accept, connect, recv, send and their kin */
	HUB_PATCH_DNS = 1 << 3,        /* getaddrinfo, gethostbyname, res_query and their kin */
	HUB_PATCH_SELECT = 1 << 4,     /* poll, select, epoll_wait and their kin */
	HUB_PATCH_SUBPROCESS = 1 << 5, /* wait, waitpid, system, popen and their kin */
	HUB_PATCH_THREAD = 1 << 6, /* mutexes, conditions and semaphores of threads; pthread_join */
	HUB_PATCH_ALL = (1 << 7) - 1, /* all of the above */
	HUB_PATCH_CREATE =
		1 << 7, /* pthread_create makes coroutines of one thread: never by itself */
};

/* Patches all families but HUB_PATCH_CREATE, in addition to what is patched. At any time, by any
 * thread; a call that is under way in another thread ends as it began.
 * Switches: no.  Thread: any.  Errors: none. */
void hub_patch_all(void);

/* Patches these families, in addition to what is patched; twice is as good as once, and nothing is
 * ever unpatched.
 * Switches: no.  Thread: any.  Returns 0, or -1 with errno EINVAL (there is no such family). */
int hub_patch(unsigned families);

/* The families that are patched. Switches: no.  Thread: any.  Errors: none. */
unsigned hub_patched(void);

/* Whether that call of the C library is patched, by its name.
 * Switches: no.  Thread: any.  Errors: none. */
bool hub_patch_has(const char *call);

/* The calls that can be patched, one by one, from index 0 on, with their families where family is
 * not NULL; NULL at the end. Switches: no.  Thread: any.  Errors: none. */
const char *hub_patch_call(size_t index, unsigned *family);

HUBBUB_API_END

#endif
