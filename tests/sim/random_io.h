/* Random programs over connections, TCP and Unix, plain and with TLS: the body of a run. */
#ifndef HUBBUB_TESTS_SIM_RANDOM_IO_H
#define HUBBUB_TESTS_SIM_RANDOM_IO_H

/* certificate is a PEM file with its key. Fails if something is wrong. */
void *random_io_body(void *certificate);

/* What all programs of this process have done. */
extern struct random_io {
	unsigned long wires, secure, sent, received, calls, ended_early;
} random_io;

#endif
