/* A dump of every coroutine of a hub, for people; and scopes that assert whether code switches. */
#ifndef HUBBUB_DEBUG_DUMP_H
#define HUBBUB_DEBUG_DUMP_H

#include <stdbool.h>
#include <stdint.h>

#include "../api.h"

HUBBUB_API_BEGIN

/* Writes to fd, for each coroutine of the calling thread's hub: its address and name, its state,
 * what it waits for and since when, where it was spawned, and its backtrace if it is suspended. Of
 * more than a thousand coroutines the first thousand are written. hub.gdb shows the same of a core
 * file, and of a process that is stuck. If fd is standard error and leads to systemd's journal,
 * every line has the level of an error.
 * Switches: no; it writes to fd as write(2).  Errors: none; without a hub it writes nothing. */
void hub_dump(int fd);

/* What a scope of hub_switch_scope_start asserts. */
enum hub_switch_kind { HUB_MUST_SWITCH, HUB_MUST_NOT_SWITCH };

/* A scope that asserts whether its code switches. The fields are private to the library. */
struct hub_switch_scope {
	enum hub_switch_kind kind;
	uint64_t taken;
	const void *coroutine;
};

/* Starts a scope within which the calling coroutine must let others run at least once, or must
 * never do so: for tests, and around code that relies on it.
 * Switches: no.  Thread: a coroutine's.  Ownership: scope is borrowed until it is stopped. */
void hub_switch_scope_start(struct hub_switch_scope *scope, enum hub_switch_kind kind);

/* Ends the scope; ends the process with a message, by abort(3), if the assertion does not hold.
 * Switches: no. */
void hub_switch_scope_stop(const struct hub_switch_scope *scope);

HUBBUB_API_END

#endif
