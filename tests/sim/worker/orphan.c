/* What the kernel does for a worker whose master is dead (worker/orphan.h): it continues the
 * worker, and kills it later, unless the worker has put that off. */
#include "worker/orphan.h"

#include "hub/scheduler.h"
#include "sim/machine/fiber_priv.h"
#include "sim/world/world_priv.h"
#include "tests/sim/worker/process_priv.h"

static void end_orphan(void *object);

/* The timer goes off at the first time that was set, and then again. */
static void
set_timer(struct process *process)
{
	int64_t left = process->killed_at - world_now();

	process->has_timer = true;
	world_after(left > 0 ? left : 0, end_orphan, (void *)(uintptr_t)process->pid);
}

static void
end_orphan(void *object)
{
	struct process *process = process_of((pid_t)(uintptr_t)object);

	if (process == NULL || process->has_ended)
		return;
	if (process->killed_at > world_now())
		set_timer(process);
	else
		process_kill_stuck(process);
}

static void
last_until(struct process *process, int64_t time)
{
	process->killed_at = time;
	if (!process->has_timer)
		set_timer(process);
}

static void
begin_orphan(struct process *process)
{
	if (process->killed_at == 0)
		last_until(process, world_now() + ORPHAN_TIME);
}

void
processes_orphan(void)
{
	LIST_EACH (link, &processes) {
		struct process *process = CONTAINER_OF(link, struct process, link);

		if (process->has_ended)
			continue;
		fibers_stop(process->pid, false);
		begin_orphan(process);
	}
}

void
orphan_begin(void)
{
	begin_orphan(process_of((pid_t)fiber_process()));
}

void
orphan_last_until(int64_t time)
{
	last_until(process_of((pid_t)fiber_process()), time);
}

int
orphan_prepare(pid_t master)
{
	(void)master;
	return 0;
}

void
orphan_end(void)
{
}
