/* Every call of the library that may suspend its caller, each on something that never happens.
 * tests/lint/blocking holds the tables against the public headers. */
#ifndef HUBBUB_TESTS_BLOCKING_H
#define HUBBUB_TESTS_BLOCKING_H

/* call returns -1 with an errno. */
struct blocking_call {
	const char *name; /* of the library's function */
	int (*call)(void);
};

/* Each kind has its calls, up to one without a name, and what they wait for: that is made on a
 * coroutine of the hub that they are tried in, and ended there. */
extern const struct blocking_call blocking_coroutines[];
void blocking_coroutines_begin(void);
void blocking_coroutines_end(void);

extern const struct blocking_call blocking_descriptors[];
void blocking_descriptors_begin(void);
void blocking_descriptors_end(void);

extern const struct blocking_call blocking_shared[];
void blocking_shared_begin(void);
void blocking_shared_end(void);

extern const struct blocking_call blocking_streams[];
void blocking_streams_begin(void);
void blocking_streams_end(void);

/* Before the hub: the environment that these are tried in. */
extern const struct blocking_call blocking_threads[];
void blocking_threads_prepare(void);
void blocking_threads_begin(void);
void blocking_threads_end(void);

#endif
