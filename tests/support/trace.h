/* What happens in a test, as one text in the order of events: "sleep ETIMEDOUT, in time, join 0".
 * Coroutines append to it, and the test's body compares it with what it expects. The text begins
 * empty, since each test runs in a process of its own; no two threads may append at once. */
#ifndef HUBBUB_TESTS_TRACE_H
#define HUBBUB_TESTS_TRACE_H

#include <stdbool.h>

/* Appends an event, as printf writes it. */
void trace_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Appends the name of a call and its result, or, if that is -1, the name of errno. Returns the
 * result. */
long trace_call(const char *name, long result);

/* Appends the name of a call and, if it has returned NULL, that of errno. Returns the result. */
void *trace_pointer(const char *name, void *result);

/* Appends a name, and that of the error; 0 is none. */
void trace_error(const char *name, int error);

/* Appends what, after a "not" if it is not so. Returns is_so. */
bool trace_whether(const char *what, bool is_so);

/* The events so far, with a comma between any two. Static; a text that is too long is cut. */
const char *trace_text(void);

/* The events since the last call of this function. Static until the next call. */
const char *trace_take(void);

/* Asserts, in a test's body, that these events and no others happened since the last time. */
#define EXPECT_TRACE(expected)                                                                     \
	do {                                                                                       \
		const char *taken_ = trace_take();                                                 \
                                                                                                   \
		cr_expect_str_eq(taken_, expected);                                                \
	} while (0)

#endif
