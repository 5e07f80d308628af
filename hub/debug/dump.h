/* A look at every coroutine of a hub. */
#ifndef HUBBUB_DEBUG_DUMP_H
#define HUBBUB_DEBUG_DUMP_H

#include <stdbool.h>
#include <stdint.h>

#include "../api.h"

HUBBUB_API_BEGIN

/* Writes to fd, for each coroutine of the calling thread's hub: its address and name, its state,
 * what it waits for and since when, where it was spawned, and the backtrace of one that is
 * suspended. Of very many it writes the first thousand. In a core, or a process that is stuck,
 * hub.gdb tells the same. Where fd is standard error and that the journal, its lines are errors.
 * Switches: no; it writes to fd as write(2).  Errors: none; without a hub it writes nothing. */
void hub_dump(int fd);

/* What a scope of hub_switch_scope_start asserts. */
enum hub_switch_kind { HUB_MUST_SWITCH, HUB_MUST_NOT_SWITCH };

/* The fields are the library's. */
struct hub_switch_scope {
	enum hub_switch_kind kind;
	uint64_t taken;
	const void *coroutine;
};

/* Starts a scope inside of which the calling coroutine must let others run at least once, or must
 * not at all: for tests, and around code that relies on it.
 * Switches: no.  Thread: a coroutine's.  Ownership: scope is borrowed until it is stopped. */
void hub_switch_scope_start(struct hub_switch_scope *scope, enum hub_switch_kind kind);

/* Ends it; if it was not kept, ends the process with a message, by abort(3). Switches: no. */
void hub_switch_scope_stop(const struct hub_switch_scope *scope);

HUBBUB_API_END

#endif
