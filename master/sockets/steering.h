/* Steering: which hub gets a new connection.
 *
 * The kernel runs a classic BPF program, attached to the SO_REUSEPORT group of an address, which
 * returns the index of the member that gets the connection. For TCP the program draws a random
 * number and compares it with cumulated weights, which follow the load. Attaching needs no
 * privilege and takes some microseconds; on a kernel that refuses the program, connections are
 * spread by the kernel's hash.
 *
 * Datagram sockets get another program: it hashes the sender's address and port, so that a peer
 * keeps its hub while other hubs come and go. */
#ifndef HUBBUB_SOCKETS_STEERING_H
#define HUBBUB_SOCKETS_STEERING_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STEERING_WEIGHT_MAX 10000
/* Room for a program of so many members, in instructions. */
#define STEERING_PROGRAM_SIZE(members) (2 * (size_t)(members) + 24)
#define STEERING_MEMBERS_MAX 2000 /* the kernel accepts 4096 instructions */

/* The load of one member of the group. */
struct steering_load {
	bool is_away;  /* dead, hung, leaving, not ready, or without permits: gets no connections */
	uint64_t open; /* connections, including those that are queued */
	double busy;   /* share of recent time in which its hub was busy, 0 to 1 */
};

/* What is expected until the weights are chosen again. */
struct steering_forecast {
	double arrivals; /* new connections */
	double replaced; /* open connections whose clients may disconnect and come back at once */
};

/* Chooses each member's weight, 0 to STEERING_WEIGHT_MAX. Members with fewer connections than the
 * others get larger weights; a member that is saturated, unlike the others, gets at most a
 * twentieth of the sum. All weights are 0 if all members are away. */
void steering_weigh(const struct steering_load *loads, size_t count,
	struct steering_forecast forecast, unsigned *weights);

/* Writes a program that returns index i with the probability weights[i] / sum, into room for
 * STEERING_PROGRAM_SIZE(count). Returns its length in instructions, or 0 if all weights are 0 or
 * count is above STEERING_MEMBERS_MAX. */
size_t steering_program(const unsigned *weights, size_t count, struct sock_filter *program);

/* Attaches the program of steering_program to the group that the socket is a member of. Returns 0,
 * or -1 with errno, EINVAL if there is no such program. */
int steering_attach(int socket, const unsigned *weights, size_t count);

/* Writes a program that maps a datagram's sender to the index of a member that is there. The
 * mapping of a sender does not change while its member is there. family is the sockets' address
 * family. Returns the program's length in instructions, or 0 if no member is there or count is
 * above STEERING_MEMBERS_MAX. */
size_t steering_datagram_program(
	const bool *is_there, size_t count, int family, struct sock_filter *program);

/* Attaches the program of steering_datagram_program, like steering_attach. */
int steering_attach_datagrams(int socket, const bool *is_there, size_t count, int family);

/* Detaches the program: the kernel's hash spreads connections again. */
void steering_detach(int socket);

#endif
