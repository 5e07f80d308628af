#include "master/steering.h"

#include <errno.h>
#include <sys/socket.h>

/* A member is saturated if it is busy for this share, and by so much more than the others. */
#define SATURATED 0.9
#define SATURATED_BEYOND 0.25
#define SATURATED_SHARE 0.05
/* Deviations below this share of all connections are left alone: a burst must not go to the one
 * that happens to have a few less. */
#define TOLERANCE 0.05

static bool
is_saturated(const struct steering_load *loads, size_t count, size_t index)
{
	double others = 0;
	size_t present = 0;

	if (loads[index].busy < SATURATED)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (loads[i].is_away || i == index)
			continue;
		others += loads[i].busy;
		present++;
	}
	return present > 0 && loads[index].busy - others / (double)present >= SATURATED_BEYOND;
}

/* Each gets what it lacks to the level that all would have after the arrivals. */
static double
deficit(const struct steering_load *load, double level)
{
	double lacks = level - (double)load->open;

	return lacks > 0 ? lacks : 0;
}

void
steering_weigh(const struct steering_load *loads, size_t count, double arrivals, unsigned *weights)
{
	double open = 0, level, sum = 0, rest = 1;
	size_t present = 0;

	for (size_t i = 0; i < count; i++) {
		weights[i] = 0;
		if (loads[i].is_away)
			continue;
		if (is_saturated(loads, count, i)) {
			weights[i] = (unsigned)(SATURATED_SHARE * STEERING_WEIGHT_MAX);
			rest -= SATURATED_SHARE;
			continue;
		}
		open += (double)loads[i].open;
		present++;
	}
	if (present == 0)
		return;
	if (arrivals < open * TOLERANCE)
		arrivals = open * TOLERANCE;
	if (arrivals < 1)
		arrivals = 1;
	level = (open + arrivals) / (double)present;
	for (size_t i = 0; i < count; i++)
		if (!loads[i].is_away && weights[i] == 0)
			sum += deficit(&loads[i], level);
	if (rest < SATURATED_SHARE)
		rest = SATURATED_SHARE;
	for (size_t i = 0; i < count; i++)
		if (!loads[i].is_away && weights[i] == 0)
			weights[i] = (unsigned)(rest * STEERING_WEIGHT_MAX *
						deficit(&loads[i], level) / sum);
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
	/* Only an ancillary load: a SYN has no payload, and a load of some would end the program
	 * with 0. */
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
	/* Never reached; out of range means the kernel's hash. */
	program[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, UINT32_MAX);
	return length;
}

int
steering_attach(int socket, const unsigned *weights, size_t count)
{
	struct sock_filter instructions[STEERING_PROGRAM_SIZE(STEERING_MEMBERS_MAX)];
	struct sock_fprog program = {.filter = instructions};

	program.len = (unsigned short)steering_program(weights, count, instructions);
	if (program.len == 0) {
		errno = EINVAL;
		return -1;
	}
	return setsockopt(socket, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof program);
}

void
steering_detach(int socket)
{
	int unused = 0;

	setsockopt(socket, SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, &unused, sizeof unused);
}
