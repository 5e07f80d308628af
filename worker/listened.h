/* The table of what is counted of one listener: of a named one, and of those without a name
 * together. A listener has these numbers in each hub's row (catalog.h), if its service has named
 * listeners. A new number is one row here, and a counters_add where it happens.
 *
 *	LISTENED(X)	X(field, kind, metric, total, help)
 *
 *	field    its name in C. Programs that share a segment find a listener by its name, and its
 *	         numbers by their order: a row is added at the end, and none is removed
 *	kind     COUNTER: only grows
 *	         GAUGE: a number of living processes
 *	metric   its name in /metrics, after hubbub_listener_; its label "listener" has the name
 *	total    its name in the state as JSON
 *	help     the metric's help text */
#ifndef HUBBUB_WORKER_LISTENED_H
#define HUBBUB_WORKER_LISTENED_H

#include <stdint.h>

/* clang-format off */
#define LISTENED(X) \
	X(accepted, COUNTER, "accepts_total", "accepts", \
		"Connections accepted through the listener; \"-\" are those without a name.") \
	X(open, GAUGE, "connections", "connections", \
		"Connections of the listener that are open.") \
	X(refused, COUNTER, "refused_total", "refused", \
		"Connections of the listener that were not served.") \
	X(datagrams, COUNTER, "datagrams_total", "datagrams", \
		"Datagrams that the listener received.")
/* clang-format on */

/* What listeners without a name are called, where a name must stand. */
#define LISTENED_UNNAMED "-"

/* Places that a listener has in a row: those without a number yet are 0, so that a later program
 * with more numbers may read them. */
#define LISTENED_ROOM 8

#define LISTENED_FIELD(field, ...) uint64_t field;
struct listened {
	LISTENED(LISTENED_FIELD)
};
#undef LISTENED_FIELD

#define LISTENED_NUMBER(field, ...) LISTENED_##field,
enum { LISTENED(LISTENED_NUMBER) LISTENED_MAX };
#undef LISTENED_NUMBER

_Static_assert(LISTENED_MAX <= LISTENED_ROOM, "a further number takes a place that is free");

#endif
