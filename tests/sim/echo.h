/* A program to run in worlds: an echo server and its clients, over TCP, plain or with TLS. */
#ifndef HUBBUB_TESTS_SIM_ECHO_H
#define HUBBUB_TESTS_SIM_ECHO_H

#define ECHO_CLIENTS 8

extern struct echo {
	/* Clients of all runs that have got back all that they had sent, or met an error; and bytes
	 * that were not those that had been sent. */
	int right, failed, wrong;
} echo;

/* The body of a run; certificate is a PEM file with its key, or NULL for no TLS. */
void *echo_body(void *certificate);

#endif
