#include "master/sockets/steering.h"

#include <criterion/criterion.h>
#include <stdio.h>

/* The weights that they get, of which all are STEERING_WEIGHT_MAX: "7500 0 2500". */
static const char *
weights_of(const struct steering_load *loads, unsigned count, double coming, double leaving)
{
	static char text[64];
	unsigned weights[4];
	size_t length = 0;

	steering_weigh(loads, count, (struct steering_forecast){coming, leaving}, weights);
	for (unsigned i = 0; i < count; i++)
		length += (size_t)snprintf(
			text + length, sizeof text - length, "%s%u", i > 0 ? " " : "", weights[i]);
	return text;
}

Test(steering, equals_get_equal_shares)
{
	struct steering_load loads[4] = {{.open = 10}, {.open = 10}, {.open = 10}, {.open = 10}};

	cr_assert_str_eq(weights_of(loads, 4, 5, 0), "2500 2500 2500 2500");
}

Test(steering, who_is_away_gets_nothing_and_all_away_is_nobody)
{
	struct steering_load loads[3] = {{.is_away = true}, {.open = 100}, {.open = 100}};
	static const unsigned none[3];
	struct sock_filter program[STEERING_PROGRAM_SIZE(3)];

	cr_assert_str_eq(weights_of(loads, 3, 1, 0), "0 5000 5000");
	loads[1].is_away = loads[2].is_away = true;
	cr_assert_str_eq(weights_of(loads, 3, 1, 0), "0 0 0");
	cr_assert_eq(steering_program(none, 3, program), 0);
}

Test(steering, the_one_that_lacks_a_connection_gets_the_next)
{
	struct steering_load loads[4] = {{.open = 2}, {.open = 2}, {.open = 1}, {.open = 2}};

	cr_assert_str_eq(weights_of(loads, 4, 1, 0), "0 0 10000 0");
}

Test(steering, who_may_leave_and_come_back_at_once_is_not_sent_all_to_the_other_side)
{
	struct steering_load loads[2] = {{.open = 100}, {.open = 0}};

	cr_assert_str_eq(weights_of(loads, 2, 1, 100), "5000 5000",
		"all of them may: it is as if nobody were here");
	cr_assert_str_eq(weights_of(loads, 2, 1, 1000), "5000 5000", "no more than there are");
	cr_assert_str_eq(
		weights_of(loads, 2, 1, 50), "0 10000", "the others stay, and come to as many");
	loads[1].open = 40;
	cr_assert_str_eq(
		weights_of(loads, 2, 1, 70), "2857 7142", "50 and 20 stay; 70 come: 70 each");
}

Test(steering, a_burst_does_not_go_to_the_one_that_has_a_few_less)
{
	struct steering_load loads[4] = {
		{.open = 1000}, {.open = 1000}, {.open = 990}, {.open = 1000}};
	unsigned weights[4];

	steering_weigh(loads, 4, (struct steering_forecast){1, 0}, weights);
	for (int i = 0; i < 4; i++)
		cr_assert_lt(weights[i], STEERING_WEIGHT_MAX / 2);
}

Test(steering, a_saturated_one_gets_at_most_a_tenth_even_if_it_has_few_connections)
{
	struct steering_load loads[4] = {{.open = 5, .busy = 1}, {.open = 50, .busy = 0.2},
		{.open = 50, .busy = 0.3}, {.open = 50, .busy = 0.2}};

	cr_assert_str_eq(weights_of(loads, 4, 10, 0), "500 3166 3166 3166");
	/* All are busy: nobody is the exception. */
	for (int i = 0; i < 4; i++)
		loads[i] = (struct steering_load){.open = 10, .busy = 1};
	cr_assert_str_eq(weights_of(loads, 4, 10, 0), "2500 2500 2500 2500");
}

/* What the kernel does with a program of ours. */
static uint32_t
run(const struct sock_filter *program, size_t length, uint32_t random)
{
	uint32_t a = 0;

	for (size_t at = 0; at < length; at++) {
		switch (program[at].code) {
		case BPF_LD | BPF_W | BPF_ABS:
			cr_assert_eq(program[at].k, (uint32_t)(SKF_AD_OFF + SKF_AD_RANDOM));
			a = random;
			break;
		case BPF_ALU | BPF_MOD | BPF_K:
			a %= program[at].k;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			at += a >= program[at].k ? program[at].jt : program[at].jf;
			break;
		case BPF_RET | BPF_K:
			return program[at].k;
		default:
			cr_assert_fail("unknown instruction");
		}
	}
	cr_assert_fail("no return");
	return UINT32_MAX;
}

Test(steering, the_program_draws_by_weight)
{
	static const unsigned weights[5] = {30, 0, 30, 40, 0};
	struct sock_filter program[STEERING_PROGRAM_SIZE(5)];
	size_t length = steering_program(weights, 5, program);
	unsigned drawn[5] = {0};

	cr_assert_gt(length, 0);
	for (uint32_t random = 0; random < 100; random++) {
		uint32_t index = run(program, length, random);

		cr_assert_lt(index, 5);
		drawn[index]++;
	}
	for (int i = 0; i < 5; i++)
		cr_assert_eq(drawn[i], weights[i]);
}

Test(steering, of_many_members_too)
{
	static unsigned weights[STEERING_MEMBERS_MAX + 1];
	static struct sock_filter program[STEERING_PROGRAM_SIZE(STEERING_MEMBERS_MAX)];
	size_t length;

	for (int i = 0; i <= STEERING_MEMBERS_MAX; i++)
		weights[i] = 1;
	length = steering_program(weights, STEERING_MEMBERS_MAX, program);
	cr_assert_gt(length, 0);
	cr_assert_leq(length, BPF_MAXINSNS);
	for (uint32_t random = 0; random < STEERING_MEMBERS_MAX; random += 97)
		cr_assert_eq(run(program, length, random), random);
	cr_assert_eq(steering_program(weights, STEERING_MEMBERS_MAX + 1, program), 0);
}
