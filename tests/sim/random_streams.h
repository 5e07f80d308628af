/* Random programs over streams: TCP, Unix, pipes, TLS and memory. The body of a run, in a simulated
 * world and on the real kernel (tests/fuzz/streams.c). */
#ifndef HUBBUB_TESTS_SIM_RANDOM_STREAMS_H
#define HUBBUB_TESTS_SIM_RANDOM_STREAMS_H

/* certificate is a PEM file with its key. Fails if something is wrong. */
void *random_streams_body(void *certificate);

/* What all programs of this process have done. */
extern struct random_streams {
	unsigned long written, read, copied, frames, ended_early, too_long, halves, refused, torn;
} random_streams;

#endif
