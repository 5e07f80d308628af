/* Steering: which hub a new connection goes to.
 *
 * The kernel asks a classic BPF program, attached to the sockets of an address, for the index of
 * the member that gets the connection. Ours draws a random number and compares it with cumulated
 * weights; the weights follow the load. No privilege is needed, attaching takes some microseconds,
 * and where the kernel has it not, connections are spread by hash.
 *
 * Of datagrams a program of its own looks at the sender's address and port, so that a peer stays on
 * its hub, whoever else comes and goes. */
#ifndef HUBBUB_SOCKETS_STEERING_H
#define HUBBUB_SOCKETS_STEERING_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STEERING_WEIGHT_MAX 10000
/* Instructions for so many members. */
#define STEERING_PROGRAM_SIZE(members) (2 * (size_t)(members) + 24)
#define STEERING_MEMBERS_MAX 2000 /* the kernel takes 4096 instructions */

/* What is known of one member. */
struct steering_load {
	bool is_away;  /* dead, hung, leaving, not ready, or without permits: gets nothing */
	uint64_t open; /* connections, those that are queued included */
	double busy;   /* share of the time that it was busy lately, 0 to 1 */
};

/* What is expected until the next choice. */
struct steering_forecast {
	double arrivals;
	double replaced; /* of those that are open: clients that may leave and come back at once */
};

/* Chooses weights, 0 to STEERING_WEIGHT_MAX. Members with fewer connections than the others get
 * more; one that is busy all the time, unlike the others, gets at most a twentieth. All are 0 if
 * all are away. */
void steering_weigh(const struct steering_load *loads, size_t count,
	struct steering_forecast forecast, unsigned *weights);

/* Writes a program that returns index i with probability weights[i] / sum. Returns its length, or 0
 * if all weights are 0 or there are too many. */
size_t steering_program(const unsigned *weights, size_t count, struct sock_filter *program);

/* Attaches such a program to the group of one of its sockets. Returns 0, or -1 with errno. */
int steering_attach(int socket, const unsigned *weights, size_t count);

/* Writes a program that returns, for a datagram's sender, the index of a member that is there,
 * always the same one as long as that stays; family is the sockets' own. Returns its length, or 0
 * if none is there or there are too many. */
size_t steering_datagram_program(
	const bool *is_there, size_t count, int family, struct sock_filter *program);

/* Attaches such a program to the group of one of its sockets. Returns 0, or -1 with errno. */
int steering_attach_datagrams(int socket, const bool *is_there, size_t count, int family);

/* Leaves it to the kernel's hash again. */
void steering_detach(int socket);

#endif
