/* The death of a process. Where in its own doing it comes, is counted in calls of the kernel, since
 * between two of them nobody else sees it; shared memory shows what it has done until then. */
#include "sim/loop/process_priv.h"

#include <stddef.h>

#include "sim/invariants/blocks_priv.h"
#include "sim/kernel/file_priv.h"
#include "sim/loop/hubs_priv.h"
#include "sim/machine/fiber_priv.h"
#include "sim/world/world_priv.h"

static struct {
	long process;
	unsigned calls; /* left to it */
	void (*died)(void *object);
	void *object;
} doomed;

/* At once: none of the process's other threads sees its descriptors closed. */
static void
end_doomed(void)
{
	world_watcher = NULL;
	world_note("process %ld is killed", doomed.process, 0, 0);
	fiber_preempt_disable();
	files_close_all(doomed.process);
	doomed.died(doomed.object);
	fibers_kill(doomed.process, hubs_one_is_killed, blocks_forget);
	fiber_preempt_enable();
}

static void
count_call(void)
{
	if (fiber_process() == doomed.process && doomed.calls-- == 0)
		end_doomed();
}

void
process_kill(long process, unsigned calls, void (*died)(void *object), void *object)
{
	doomed.process = process;
	doomed.calls = calls;
	doomed.died = died;
	doomed.object = object;
	world_watcher = count_call;
	if (calls == 0)
		end_doomed();
}

void
processes_forget(void)
{
	world_watcher = NULL;
}
