/* The report: who did what, and what the program itself has noted. */
#include <criterion/criterion.h>
#include <hubbub/hub.h>
#include <hubbub/sim.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

TestSuite(report, .timeout = 120);

static void
report_has(const char *text)
{
	cr_assert_not_null(
		strstr(hub_sim_report(), text), "no \"%s\" in:\n%s", text, hub_sim_report());
}

static void *
make_a_socket(void *null)
{
	hub_close(hub_socket(AF_INET, SOCK_DGRAM, 0));
	return null;
}

static void *
make_sockets(void *unused)
{
	struct hub_coroutine *named = hub_spawn(make_a_socket, NULL);

	hub_set_name(named, "a client");
	hub_join(named, NULL);
	hub_join(hub_spawn(make_a_socket, NULL), NULL);
	hub_sim_join(hub_sim_start("second", make_a_socket, NULL), NULL);
	return make_a_socket(unused);
}

Test(report, events_have_the_names_of_coroutines)
{
	cr_assert_eq(hub_sim_run(1, NULL, make_sockets, NULL), 0, "%s", hub_sim_report());
	report_has("  2 \"a client\"      UDP socket 512 is opened\n");
	report_has("  3 make_a_socket   UDP socket 512 is closed\n");
	report_has("  2/1 \"main\"        UDP socket 512 is opened\n");
	report_has("  1 \"main\"          UDP socket 512 is closed\n");
}

static void *
be_killed(void *unused)
{
	hub_sleep(HUB_SECOND);
	return unused;
}

static void *
spawn_a_mortal(void *unused)
{
	struct hub_coroutine *mortal = hub_spawn(be_killed, unused);

	hub_sim_may_kill(mortal);
	hub_join(mortal, NULL);
	return unused;
}

Test(report, kills_by_the_world_have_a_victim)
{
	cr_assert_eq(hub_sim_run(1, &(struct hub_sim_options){.killed = 1}, spawn_a_mortal, NULL),
		0, "%s", hub_sim_report());
	report_has("  2 be_killed       is killed by the world\n");
}

static void *
note(void *number)
{
	hub_sim_note("question %d of %s", *(int *)number, "a client");
	return NULL;
}

Test(report, a_program_notes_what_it_does)
{
	int one = 1, two = 2;
	uint64_t trace;

	hub_sim_note("nothing, outside of a run");
	cr_assert_eq(hub_sim_run(1, NULL, note, &one), 0);
	report_has("  1 \"main\"          question 1 of a client\n");
	trace = hub_sim_trace();
	hub_sim_run(1, NULL, note, &two);
	cr_assert_neq(hub_sim_trace(), trace, "notes do not count in the trace");
	hub_sim_run(1, NULL, note, &one);
	cr_assert_eq(hub_sim_trace(), trace);
}

static void *
note_for_ever(void *never)
{
	for (unsigned turn = 0; !*(volatile bool *)never; turn++) {
		if (turn % 1000 == 0)
			hub_sim_note("still here");
		hub_sleep(0);
	}
	return NULL;
}

Test(report, notes_are_no_progress)
{
	bool never = false;

	cr_assert_eq(hub_sim_search(1, 1, NULL, note_for_ever, &never), -1);
	report_has("a loop of hub_sleep(0)");
}

static void *
check(void *is_right)
{
	cr_assert_eq(hub_sim_check(*(bool *)is_right, "%d is not %d", 1, 2), *(bool *)is_right);
	return hub_sim_check(true, "it is right") ? is_right : NULL;
}

static void *
check_in_a_coroutine(void *is_right)
{
	hub_join(hub_spawn(check, is_right), NULL);
	return NULL;
}

Test(report, a_check_fails_the_run_in_any_coroutine)
{
	bool is_right = true;

	cr_assert_eq(hub_sim_run(1, NULL, check_in_a_coroutine, &is_right), 0);
	is_right = false;
	cr_assert_eq(hub_sim_run(1, NULL, check_in_a_coroutine, &is_right), -1);
	report_has("seed 1: 1 is not 2\n");
	cr_assert(!hub_sim_check(false, "nothing, outside of a run"));
}

static struct hub_channel channels[2];

static void *
get_both(void *first)
{
	int at = *(int *)first;
	void *item;

	hub_channel_get(&channels[at], &item);
	hub_channel_put(&channels[!at], item);
	return NULL;
}

static void *
wait_in_a_circle(void *unused)
{
	int zero = 0, one = 1;
	struct hub_coroutine *both[2];

	both[0] = hub_spawn(get_both, &zero);
	both[1] = hub_spawn(get_both, &one);
	hub_join(both[0], NULL);
	hub_join(both[1], NULL);
	return unused;
}

/* No address is in it, so that it is the same in each run. */
Test(report, a_deadlock_says_where_all_wait)
{
	cr_assert_eq(hub_sim_run(1, NULL, wait_in_a_circle, NULL), -1);
	report_has("its coroutines:\n");
	report_has("  coroutine 1 \"main\": waits for join of 2 get_both since 0.000 s\n");
	report_has("  coroutine 2 get_both: waits for channel get #1 since");
	report_has("  coroutine 3 get_both: waits for channel get #2 since");
	cr_assert_null(strstr(hub_sim_report(), "0x7f"), "%s", hub_sim_report());
}
