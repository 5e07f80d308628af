/* What happens, in its order, as one text: a coroutine may not assert, so it notes what it sees,
 * and the test's body compares all of it at once. For one thread. */
#ifndef HUBBUB_TESTS_NOTES_H
#define HUBBUB_TESTS_NOTES_H

#include <errno.h>

/* Adds to the notes, which ", " separates. */
__attribute__((format(printf, 1, 2))) void note(const char *format, ...);

/* Notes what a call has returned: "read 5", or "read EAGAIN" if that is -1 and errno was set. */
void note_result(const char *name, long result, int error);

#define NOTE(name, call)                                                                           \
	do {                                                                                       \
		long note_result_;                                                                 \
                                                                                                   \
		errno = 0;                                                                         \
		note_result_ = (long)(call);                                                       \
		note_result(name, note_result_, errno);                                            \
	} while (0)

/* Notes a call that returns its error, as those of pthreads do: "lock 0", or "lock EBUSY". */
void note_error(const char *name, int error);

/* Returns what was noted since the last time; static until the next call. */
const char *noted(void);

/* Asserts, in a test's body, that this and no more was noted since the last time. */
#define EXPECT_NOTED(expected)                                                                     \
	do {                                                                                       \
		const char *noted_ = noted();                                                      \
                                                                                                   \
		cr_expect_str_eq(noted_, expected);                                                \
	} while (0)

#endif
