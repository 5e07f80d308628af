/* Fibers (fiber_priv.h). The switch is the hub's own. An ended fiber's stack is used again. */
#include "sim/machine/fiber_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "hub/arch/switch_priv.h"
#include "hub/base/check.h"
#include "hub/base/kernel.h"
#include "hub/base/list.h"
#include "hub/debug/dump.h"
#include "hub/debug/hooks.h"
#include "hub/scheduler_priv.h"
#include "sim/machine/variables_priv.h"
#include "sim/world/who_priv.h"
#include "sim/world/world_priv.h"

#define STACK_SIZE ((size_t)1024 * 1024)
#define GUARD_SIZE ((size_t)64 * 1024)

struct fiber {
	struct list link; /* in fibers.all, or in fibers.ended */
	struct arch_context context;
	long number;
	struct host *host;
	void (*run)(void *object);
	void *object;
	const struct pause *pause; /* NULL: it may go on */
	long process;
	bool is_stopped;           /* by fibers_stop */
	int error;                 /* errno */
	unsigned char *stack;      /* owned; NULL: the first one's */
	unsigned char variables[]; /* while another one runs */
};

static struct {
	struct fiber *running;
	struct fiber *killed; /* NULL; or it was the running one, and is not buried yet */
	void (*bury)(void);
	void (*end)(long process);
	struct list all, ended;
	size_t variables_size;
	long count, made; /* living, and ever */
	unsigned kept;    /* how often preemption was disabled */
} fibers;

struct host *fibers_host;

/* ---- death ---- */

/* Nobody runs on the fiber's stack any more. */
static void
bury(struct fiber *fiber)
{
	variables_keep(fibers.running->variables);
	variables_bring(fiber->variables);
	fibers.bury();
	variables_bring(fibers.running->variables);
	list_append(&fibers.ended, &fiber->link);
}

static void
bury_killed(void)
{
	struct fiber *killed = fibers.killed;

	if (killed == NULL)
		return;
	fibers.killed = NULL;
	bury(killed);
	fibers.end(killed->process);
}

/* ---- the switch ---- */

static void
be_running(struct fiber *fiber)
{
	fibers.running = fiber;
	fibers_host = fiber->host;
	world_core.process = fiber->process;
	who_in_hub(fiber->number);
}

static void
switch_to(struct fiber *to)
{
	struct fiber *from = fibers.running;

	from->error = errno;
	variables_keep(from->variables);
	variables_bring(to->variables);
	be_running(to);
	arch_switch(&from->context, &to->context, NULL);
	bury_killed();
	errno = fibers.running->error;
}

static bool
may_go_on(const struct fiber *fiber)
{
	const struct pause *pause = fiber->pause;

	return !fiber->is_stopped && (pause == NULL || pause->is_over(pause->object));
}

/* When the first pause is over, if nothing happens before. */
static int64_t
first_end(void)
{
	int64_t first = INT64_MAX;

	LIST_EACH (link, &fibers.all) {
		const struct fiber *fiber = CONTAINER_OF(link, struct fiber, link);
		const struct pause *pause = fiber->is_stopped ? NULL : fiber->pause;
		int64_t end =
			pause != NULL && pause->end != NULL ? pause->end(pause->object) : INT64_MAX;

		if (end < first)
			first = end;
	}
	return first;
}

void
fibers_dump(int fd)
{
	variables_keep(fibers.running->variables);
	LIST_EACH (link, &fibers.all) {
		const struct fiber *fiber = CONTAINER_OF(link, struct fiber, link);

		variables_bring(fiber->variables);
		who_in_hub(fiber->number);
		kernel_dprintf(fd, "hub %ld waits for %s\n", fiber->number,
			fiber->pause != NULL ? fiber->pause->what : "its turn");
		hub_dump(fd);
	}
	variables_bring(fibers.running->variables);
	who_in_hub(fibers.running->number);
}

_Noreturn void
fibers_give_up(const char *why)
{
	world_give_up(why, fibers_dump);
}

/* One of those that may go on; until there is one, time passes. */
static struct fiber *
choose(void)
{
	struct fiber *chosen = NULL;

	for (;;) {
		uint64_t count = 0;

		LIST_EACH (link, &fibers.all) {
			struct fiber *fiber = CONTAINER_OF(link, struct fiber, link);

			if (may_go_on(fiber) && world_draw(++count) == 0)
				chosen = fiber;
		}
		if (world_is_old())
			fibers_give_up("the world has lasted too long");
		if (chosen != NULL)
			return chosen;
		if (!world_pass(first_end()))
			fibers_give_up("everything waits, and nothing can happen any more");
	}
}

void
fiber_pause(const struct pause *pause)
{
	struct fiber *next;

	/* Most worlds have one. */
	if (pause == NULL && fibers.count == 1 && !world_is_old())
		return;
	fibers.running->pause = pause;
	next = choose();
	if (next != fibers.running)
		switch_to(next);
	fibers.running->pause = NULL;
}

void
fiber_be_preempted(void)
{
	int error = errno;

	if (fibers.count > 1 && fibers.kept == 0 && world_chance(world_options()->preempted))
		fiber_pause(NULL);
	errno = error;
}

void
fiber_preempt_disable(void)
{
	fibers.kept++;
}

void
fiber_preempt_enable(void)
{
	DCHECK(fibers.kept > 0);
	fibers.kept--;
}

/* ---- its life ---- */

/* The thread ends, and its hub with it. */
static void
end_hub(void)
{
	struct hub *hub = hub_this;

	if (hub == NULL)
		return;
	hub_forget();
	hub->free(hub);
}

/* A former run's counts must not lead to another order in this one. The program's hooks stay;
 * coroutines that were made outside of runs keep their hub. */
static void
renew_hub(void)
{
	const struct hub_hooks *hooks;

	if (hub_this == NULL || hub_this->arena.used != 0)
		return;
	hooks = hub_this->hooks;
	end_hub();
	if (hooks != NULL)
		hub_set_hooks(hooks);
}

/* The first function on a fiber's stack. */
static _Noreturn void
begin(void)
{
	struct fiber *self = fibers.running, *next;

	world_enter();
	bury_killed();
	errno = 0;
	self->run(self->object);
	end_hub();
	list_remove(&self->link);
	fibers.count--;
	next = choose();
	/* Nobody else has got the stack meanwhile. */
	list_append(&fibers.ended, &self->link);
	switch_to(next);
	__builtin_unreachable();
}

static struct fiber *
fiber_new(void)
{
	struct fiber *fiber = malloc(sizeof *fiber + fibers.variables_size);

	CHECK_WHY(fiber != NULL, "no memory for a simulated world");
	fiber->stack = NULL;
	return fiber;
}

static void
be_counted(struct fiber *fiber, struct host *host)
{
	fiber->number = ++fibers.made;
	fiber->host = host;
	fiber->pause = NULL;
	fiber->process = fibers.running != NULL ? fibers.running->process : 0;
	fiber->is_stopped = false;
	fibers.count++;
	list_append(&fibers.all, &fiber->link);
}

void
fibers_begin(struct host *host)
{
	struct fiber *first;
	bool has_this;

	renew_hub();
	list_init(&fibers.all);
	list_init(&fibers.ended);
	fibers.count = fibers.made = 0;
	fibers.kept = 0;
	fibers.variables_size = variables_find();
	has_this = variables_have(&hub_this);
	CHECK(has_this);
	first = fiber_new();
	be_counted(first, host);
	be_running(first);
}

static struct fiber *
take_first(struct list *list)
{
	struct fiber *first = CONTAINER_OF(list->next, struct fiber, link);

	list_remove(&first->link);
	return first;
}

/* The guard is below: stacks grow down. */
static void
make_stack(struct fiber *fiber)
{
	int error;

	fiber->stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	error = fiber->stack != MAP_FAILED ? mprotect(fiber->stack, GUARD_SIZE, PROT_NONE) : -1;
	CHECK_WHY(error == 0, "no memory for a simulated thread");
}

void
fiber_start(struct host *host, void (*run)(void *object), void *object)
{
	struct fiber *fiber;
	void **top;

	if (list_is_empty(&fibers.ended)) {
		fiber = fiber_new();
		make_stack(fiber);
	} else {
		fiber = take_first(&fibers.ended);
	}
	fiber->run = run;
	fiber->object = object;
	variables_init(fiber->variables);
	/* As if begin had been called by the address 0, with which unwinders end. */
	top = (void **)(void *)(fiber->stack + STACK_SIZE) - 2;
	*--top = NULL;
	fiber->context = (struct arch_context){.sp = top, .ip = (void *)begin};
	be_counted(fiber, host);
}

static bool
is_alone(void *unused)
{
	(void)unused;
	return fibers.count == 1;
}

void
fibers_end(void)
{
	struct pause pause = {.what = "the end of all hubs", .is_over = is_alone};
	struct hub *hub;

	fiber_pause(&pause);
	free(fibers.running);
	fibers.running = NULL;
	fibers_host = NULL;
	while (!list_is_empty(&fibers.ended)) {
		struct fiber *ended = take_first(&fibers.ended);

		munmap(ended->stack, STACK_SIZE);
		free(ended);
	}
	/* The thread's own hub, for its end: others have been in its place. */
	hub = hub_this;
	if (hub != NULL) {
		hub_forget();
		hub_remember(hub);
	}
}

/* ---- for others ---- */

long
fiber_number(void)
{
	return fibers.running->number;
}

long
fiber_process(void)
{
	return world_core.process;
}

void
fiber_enter_process(long process)
{
	fibers.running->process = world_core.process = process;
}

void
fibers_kill(long process, void (*bury_one)(void), void (*end)(long process))
{
	struct fiber *self = fibers.running;

	fibers.bury = bury_one;
	fibers.end = end;
	LIST_EACH (link, &fibers.all) {
		struct fiber *fiber = CONTAINER_OF(link, struct fiber, link);

		if (fiber->process != process)
			continue;
		list_remove(&fiber->link);
		fibers.count--;
		if (fiber != self)
			bury(fiber);
	}
	if (self->process != process) {
		end(process);
		return;
	}
	fibers.killed = self;
	/* It may have been in a call that is done at once. */
	fibers.kept = 0;
	switch_to(choose());
	__builtin_unreachable();
}

void
fibers_stop(long process, bool are_stopped)
{
	LIST_EACH (link, &fibers.all) {
		struct fiber *fiber = CONTAINER_OF(link, struct fiber, link);

		if (fiber->process == process)
			fiber->is_stopped = are_stopped;
	}
}
