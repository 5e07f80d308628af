/* Weights, and the BPF programs made of them. The functions that weigh and write programs are pure:
 * tests run them without a socket. Both programs end with an out-of-range index, by which the
 * kernel falls back to its hash. */
#include "master/sockets/steering.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* A member is saturated if it is busy for the share SATURATED, and SATURATED_BEYOND above the mean
 * of the others; then it gets SATURATED_SHARE of all connections. */
#define SATURATED 0.9
#define SATURATED_BEYOND 0.25
#define SATURATED_SHARE 0.05
/* Deviations below this share of all connections are not levelled out: a burst must not go to the
 * member that happens to have a few connections less. */
#define TOLERANCE 0.05

/* What members that are there have together. */
struct presence {
	size_t count;
	double busy;
};

static struct presence
find_present(const struct steering_load *loads, size_t count)
{
	struct presence present = {0};

	for (size_t i = 0; i < count; i++) {
		present.count += !loads[i].is_away;
		present.busy += loads[i].is_away ? 0 : loads[i].busy;
	}
	return present;
}

/* Whether a member is so much busier than the mean of the others that connections are kept away
 * from it. */
static bool
is_saturated(struct presence present, const struct steering_load *load)
{
	if (load->busy < SATURATED || present.count < 2)
		return false;
	return load->busy - (present.busy - load->busy) / (double)(present.count - 1) >=
	       SATURATED_BEYOND;
}

/* Returns how many connections a member lacks to the level that all members would have after the
 * arrivals. staying is the share of open connections whose clients do not reconnect. */
static double
deficit(const struct steering_load *load, double staying, double level)
{
	double lacks = level - staying * (double)load->open;

	return lacks > 0 ? lacks : 0;
}

void
steering_weigh(const struct steering_load *loads, size_t count, struct steering_forecast forecast,
	unsigned *weights)
{
	struct presence all = find_present(loads, count);
	double open = 0, arrivals = forecast.arrivals, staying, level, sum = 0, rest = 1;
	size_t present = 0;

	for (size_t i = 0; i < count; i++) {
		weights[i] = 0;
		if (loads[i].is_away)
			continue;
		if (is_saturated(all, &loads[i])) {
			/* A fixed share; what is left is divided by deficits. */
			weights[i] = (unsigned)(SATURATED_SHARE * STEERING_WEIGHT_MAX);
			rest -= SATURATED_SHARE;
			continue;
		}
		open += (double)loads[i].open;
		present++;
	}
	if (present == 0)
		return;
	/* The more arrivals are expected, the less a small deficit counts; and clients that
	 * reconnect must find room anywhere, not only where they leave. */
	if (arrivals < open * TOLERANCE)
		arrivals = open * TOLERANCE;
	if (arrivals < 1)
		arrivals = 1;
	if (forecast.replaced > open)
		forecast.replaced = open;
	if (arrivals < forecast.replaced)
		arrivals = forecast.replaced;
	staying = open > 0 ? 1 - forecast.replaced / open : 1;
	level = (staying * open + arrivals) / (double)present;
	for (size_t i = 0; i < count; i++)
		if (!loads[i].is_away && weights[i] == 0)
			sum += deficit(&loads[i], staying, level);
	if (rest < SATURATED_SHARE)
		rest = SATURATED_SHARE;
	for (size_t i = 0; i < count; i++)
		if (!loads[i].is_away && weights[i] == 0)
			weights[i] = (unsigned)(rest * STEERING_WEIGHT_MAX *
						deficit(&loads[i], staying, level) / sum);
}

size_t
steering_program(const unsigned *weights, size_t count, struct sock_filter *program)
{
	unsigned sum = 0, below = 0;
	size_t length = 0;

	if (count > STEERING_MEMBERS_MAX)
		return 0;
	for (size_t i = 0; i < count; i++)
		sum += weights[i];
	if (sum == 0)
		return 0;
	/* Only an ancillary load: a SYN has no payload, and loading a byte of it would end the
	 * program with index 0. */
	program[length++] = (struct sock_filter)BPF_STMT(
		BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_RANDOM));
	program[length++] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, sum);
	for (size_t i = 0; i < count; i++) {
		if (weights[i] == 0)
			continue;
		below += weights[i];
		program[length++] =
			(struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, below, 1, 0);
		program[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, (uint32_t)i);
	}
	/* Never reached: an index out of range means the kernel's hash. */
	program[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, UINT32_MAX);
	return length;
}

/* ---- datagrams ---- */

#define HEADER(offset) ((uint32_t)(SKF_NET_OFF + (offset))) /* of the IP header */
#define V4_SOURCE 12
#define V4_PORT 20       /* of an IPv4 header without options, which are hardly ever used */
#define V6_SOURCE_END 20 /* the last four of the sixteen bytes: hosts differ there */
#define V6_PORT 40
#define SPREAD 0x9E3779B1u /* 2^32 divided by the golden ratio (Fibonacci hashing) */

/* Appends instructions that load a hash of the sender into the accumulator; source and port are
 * offsets in the packet. Returns the program's length. */
static size_t
hash_sender(struct sock_filter *program, size_t length, uint32_t source, uint32_t port)
{
	struct sock_filter part[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, HEADER(source)),
		BPF_STMT(BPF_MISC | BPF_TAX, 0),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, HEADER(port)),
		BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, SPREAD),
		BPF_STMT(BPF_ALU | BPF_XOR | BPF_X, 0),
		BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, SPREAD),
		BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 12),
	};

	memcpy(program + length, part, sizeof part);
	return length + sizeof part / sizeof part[0];
}

/* Writes the hash for an IPv6 socket, which may get IPv4 packets, too: the version in the packet's
 * first byte decides. Returns the program's length. */
static size_t
hash_either(struct sock_filter *program)
{
	size_t length = 0, branch;

	program[length++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_B | BPF_ABS, HEADER(0));
	program[length++] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 4);
	branch = length++;
	length = hash_sender(program, length, V6_SOURCE_END, V6_PORT);
	program[branch] = (struct sock_filter)BPF_JUMP(
		BPF_JMP | BPF_JEQ | BPF_K, 6, 0, (uint8_t)(length - branch));
	branch = length++;
	length = hash_sender(program, length, V4_SOURCE, V4_PORT);
	program[branch] =
		(struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, (uint32_t)(length - branch - 1));
	return length;
}

size_t
steering_datagram_program(
	const bool *is_there, size_t count, int family, struct sock_filter *program)
{
	size_t there = 0, length, next = 0;

	if (count > STEERING_MEMBERS_MAX)
		return 0;
	for (size_t i = 0; i < count; i++)
		there += is_there[i];
	if (there == 0)
		return 0;
	length = family == AF_INET6 ? hash_either(program)
				    : hash_sender(program, 0, V4_SOURCE, V4_PORT);
	/* Each seat has a share of the senders, also while no hub sits there: then the seats that
	 * are there serve its senders in turn, and no other sender moves. */
	program[length++] =
		(struct sock_filter)BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, (uint32_t)count);
	for (size_t i = 0; i < count; i++) {
		size_t member = i;

		if (!is_there[i]) {
			do
				next = (next + 1) % count;
			while (!is_there[next]);
			member = next;
		}
		program[length++] =
			(struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)i, 0, 1);
		program[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, (uint32_t)member);
	}
	program[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, UINT32_MAX);
	return length;
}

static int
attach(int socket, struct sock_filter *instructions, size_t length)
{
	struct sock_fprog program = {(unsigned short)length, instructions};

	if (length == 0) {
		errno = EINVAL;
		return -1;
	}
	return setsockopt(socket, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof program);
}

int
steering_attach_datagrams(int socket, const bool *is_there, size_t count, int family)
{
	struct sock_filter instructions[STEERING_PROGRAM_SIZE(STEERING_MEMBERS_MAX)];

	return attach(socket, instructions,
		steering_datagram_program(is_there, count, family, instructions));
}

int
steering_attach(int socket, const unsigned *weights, size_t count)
{
	struct sock_filter instructions[STEERING_PROGRAM_SIZE(STEERING_MEMBERS_MAX)];

	return attach(socket, instructions, steering_program(weights, count, instructions));
}

void
steering_detach(int socket)
{
	int unused = 0;

	setsockopt(socket, SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, &unused, sizeof unused);
}
