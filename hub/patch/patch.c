/* Which families are patched: one atomic mask, set from the environment before main and by
 * hub_patch; bits are only added. From the mask and from where it runs, every call decides here
 * whether it suspends: only on a coroutine, not in a signal handler, not once exit(3) has begun,
 * and not in a child of vfork(2). */
#include "hub/patch/patch.h"

#include <errno.h>
#include <hubbub/fork.h>
#include <hubbub/thread/offload.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hub/base/failed.h"
#include "hub/base/log.h"
#include "hub/patch/interrupt_priv.h"
#include "hub/patch/patch_priv.h"
#include "hub/patch/thread_priv.h"

atomic_uint patch_active;

/* exit(3) has begun: calls are libc's own. */
static atomic_bool is_exiting;

_Thread_local const void *patch_caller;

static const struct {
	const char *name;
	unsigned family;
} families[] = {
	{"all", HUB_PATCH_ALL},
	{"none", 0},
	{"os", HUB_PATCH_OS},
	{"time", HUB_PATCH_TIME},
	{"socket", HUB_PATCH_SOCKET},
	{"dns", HUB_PATCH_DNS},
	{"select", HUB_PATCH_SELECT},
	{"subprocess", HUB_PATCH_SUBPROCESS},
	{"thread", HUB_PATCH_THREAD},
	{"create", HUB_PATCH_CREATE},
};
#define FAMILIES (sizeof families / sizeof families[0])

static const struct {
	const char *name;
	unsigned family;
} calls[] = {
#define NAME_WAITS(family, name) {#name, HUB_PATCH_##family},
#define NAME_NOTES(family, name) {#name, HUB_PATCH_##family},
#define NAME_BLOCKS(family, name)
#define NAME(kind, family, result, name, parameters, arguments) NAME_##kind(family, name)
	PATCH_CALLS(NAME)
#define OTHER(family, name) {#name, HUB_PATCH_##family},
		PATCH_OTHERS(OTHER)};
#define CALLS (sizeof calls / sizeof calls[0])

/* Calls of these families nearly always wait, so they can afford a system call to ask whether this
 * is a child of vfork(2), in which they are libc's own. Calls of the other families ask when they
 * have to wait. */
#define WAITING_FAMILIES (HUB_PATCH_DNS | HUB_PATCH_SELECT | HUB_PATCH_SUBPROCESS)

bool
patch_suspends_here(unsigned family)
{
	if (!(atomic_load_explicit(&patch_active, memory_order_relaxed) & family) ||
		!hub_can_wait() || interrupt_in_handler() ||
		atomic_load_explicit(&is_exiting, memory_order_relaxed) ||
		((family & WAITING_FAMILIES) && hub_is_vforked()))
		return false;
	patch_canceled(family);
	if (family != HUB_PATCH_THREAD) {
		int error = errno;

		/* A coroutine that always finds input never waits: it yields when its slice is
		 * over, so that the others run. */
		hub_yield_due();
		errno = error;
	}
	return true;
}

/* Every call that suspends is a cancellation point, except locking: pthreads(7). */
void
patch_canceled(unsigned family)
{
	if (family != HUB_PATCH_THREAD && thread_is_cancelled() && !hub_is_vforked())
		pthread_exit(PTHREAD_CANCELED);
}

int
patch_rest(int64_t nanoseconds)
{
	struct timespec time = {nanoseconds / HUB_SECOND, nanoseconds % HUB_SECOND};

	return hub_is_vforked() ? REAL(nanosleep)(&time, NULL) : hub_sleep(nanoseconds);
}

int
patch_offload(hub_fn *body, void *argument)
{
	if (!hub_is_vforked())
		return hub_offload(body, argument, NULL);
	body(argument);
	return 0;
}

/* exit may be called in the middle of anything, so no other coroutine runs during its handlers:
 * calls are libc's own. A child of vfork(2) shares this memory with its parent, which does not
 * exit. */
PATCH_EXPORT void
exit(int status)
{
	if (!hub_is_vforked())
		atomic_store(&is_exiting, true);
	REAL(exit)(status);
	__builtin_unreachable();
}

void
hub_patch_all(void)
{
	hub_patch(HUB_PATCH_ALL);
}

int
hub_patch(unsigned wanted)
{
	if (wanted & ~(unsigned)(HUB_PATCH_ALL | HUB_PATCH_CREATE))
		return failed(EINVAL);
	atomic_fetch_or(&patch_active, wanted);
	return 0;
}

unsigned
hub_patched(void)
{
	return atomic_load(&patch_active) & ~PATCH_REPORTED;
}

bool
hub_patch_has(const char *call)
{
	for (size_t i = 0; i < CALLS; i++)
		if (strcmp(calls[i].name, call) == 0)
			return hub_patched() & calls[i].family;
	return false;
}

const char *
hub_patch_call(size_t index, unsigned *family)
{
	if (index >= CALLS)
		return NULL;
	if (family != NULL)
		*family = calls[index].family;
	return calls[index].name;
}

static void
complain_of(const char *word, size_t length)
{
	char line[512];
	size_t said = (size_t)snprintf(line, sizeof line,
		"hubbub-patch: HUBBUB_PATCH names \"%.*s\", which is no family; there are:",
		(int)(length < 200 ? length : 200), word);

	for (size_t i = 0; i < FAMILIES; i++)
		said += (size_t)snprintf(line + said, sizeof line - said, " %s", families[i].name);
	line[said++] = '\n';
	log_bare(LOG_WARNING, line, said);
}

/* The family that a word of HUBBUB_PATCH names; 0, with a warning, if it names none. */
static unsigned
family_of(const char *word, size_t length)
{
	for (size_t i = 0; i < FAMILIES; i++)
		if (strlen(families[i].name) == length &&
			strncmp(families[i].name, word, length) == 0)
			return families[i].family;
	complain_of(word, length);
	return 0;
}

static unsigned
families_of(const char *list)
{
	unsigned wanted = 0;

	while (*list != '\0') {
		size_t length = strcspn(list, ", ");

		if (length > 0)
			wanted |= family_of(list, length);
		list += length + strspn(list + length, ", ");
	}
	return wanted;
}

/* Whether the library was preloaded: into a program that knows nothing of hub_patch. */
static bool
is_preloaded(void)
{
	const char *preload = getenv("LD_PRELOAD");

	return preload != NULL && strstr(preload, "libhubbub-patch") != NULL;
}

static __attribute__((constructor)) void
start(void)
{
	const char *list = getenv("HUBBUB_PATCH"), *report = getenv("HUBBUB_PATCH_REPORT");
	unsigned wanted = 0;

	real_find();
	if (list != NULL)
		wanted = families_of(list);
	else if (is_preloaded())
		wanted = HUB_PATCH_ALL;
	if (report != NULL && report[0] != '\0' && strcmp(report, "0") != 0)
		wanted |= PATCH_REPORTED;
	atomic_fetch_or(&patch_active, wanted);
}
