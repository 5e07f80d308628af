/* Patching: what Python's gevent.monkey.patch_all() does, for C. With libhubbub-patch linked
 * (before the C library) or preloaded, blocking calls of the C library, made by code that knows
 * nothing of hubs, suspend the calling coroutine instead of its thread. In a thread that runs no
 * hub, and outside coroutines, the calls are the C library's own.
 *
 * Linked, nothing is patched until hub_patch or hub_patch_all is called. Preloaded, all families
 * are patched from the start, or those that HUBBUB_PATCH names: "all", "none", or families
 * separated by commas ("socket,time,create"). HUBBUB_PATCH_REPORT=1 lists, on standard error at the
 * end of the process, the calls that blocked a hub's thread all the same. The README of this
 * directory lists the calls, and what is out of reach. */
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
	HUB_PATCH_THREAD = 1 << 6,     /* mutexes, conditions, semaphores; pthread_join */
	HUB_PATCH_ALL = (1 << 7) - 1,  /* all families above */
	HUB_PATCH_CREATE = 1 << 7,     /* pthread_create makes coroutines; only if asked for */
};

/* Patches all families but HUB_PATCH_CREATE, in addition to those already patched. May be called at
 * any time: a call in progress in another thread ends as it began.
 * Switches: no.  Thread: any.  Errors: none. */
void hub_patch_all(void);

/* Patches these families (bits of enum hub_patch_family), in addition to those already patched.
 * Patching a family twice changes nothing, and no family is ever unpatched.
 * Switches: no.  Thread: any.  Returns 0, or -1 with errno EINVAL (a bit that is no family). */
int hub_patch(unsigned wanted);

/* The families that are patched, as bits of enum hub_patch_family.
 * Switches: no.  Thread: any.  Errors: none. */
unsigned hub_patched(void);

/* Whether the C library's call of that name is patched; false for a name that is not in the table.
 * Switches: no.  Thread: any.  Errors: none. */
bool hub_patch_has(const char *call);

/* The name of the call at that index, counted from 0, of all calls that can be patched; its family
 * goes to *family unless family is NULL. NULL past the last call.
 * Switches: no.  Thread: any.  Ownership: the name is static.  Errors: none. */
const char *hub_patch_call(size_t index, unsigned *family);

HUBBUB_API_END

#endif
