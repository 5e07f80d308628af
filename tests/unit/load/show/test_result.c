/* The judgement on results that were made up. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "hub/base/clock.h"
#include "tests/load/show/result.h"

#define CONNECTIONS 4

static struct load load;
static struct requests requests;
static struct result *result;

/* A good second of an open loop. */
static void
begin(void)
{
	memset(&load, 0, sizeof load);
	load.is_open = true;
	load.repeat = 1;
	load.requests = &requests;
	load.connections = CONNECTIONS;
	load.max_lag_share = 0.1;
	load.churn = -1;
	load.interval = CLOCK_SECOND;
	load.verify = MESSAGE_FULL;
	result = result_new(&load);
	cr_assert_not_null(result);
	result->run_count = 1;
	result->planned = 100;
	result->total.seconds = 1;
	result->total.tally.opened = result->total.tally.alive_end = CONNECTIONS;
	result->total.tally.due = result->total.tally.received = 100;
	for (int i = 0; i < 100; i++) {
		histogram_record(&result->total.response, CLOCK_MILLISECOND);
		histogram_record(&result->total.service, CLOCK_MILLISECOND);
		histogram_record(&result->total.lag, 1000);
	}
}

static void
end(void)
{
	result_free(result);
}

TestSuite(result, .init = begin, .fini = end);

static void
send_late(void)
{
	for (int i = 0; i < 10; i++)
		histogram_record(&result->total.lag, CLOCK_SECOND);
}

static void
fall_silent(void)
{
	memset(&result->total.response, 0, sizeof result->total.response);
	memset(&result->total.service, 0, sizeof result->total.service);
	result->total.tally.received = 0;
	result->total.tally.lost = result->total.tally.timeouts = 100;
}

Test(result, a_good_one_passes_and_a_late_one_is_invalid)
{
	result_judge(result);
	cr_assert_eq(result->code, LOAD_DONE);
	cr_assert_str_empty(result->failure);
	send_late();
	result_judge(result);
	cr_assert_eq(result->code, LOAD_INVALID);
}

Test(result, a_server_that_died_is_said_to_have_however_it_was_measured)
{
	send_late();
	result->total.tally.alive_end = 0;
	result->total.tally.unsent = 50;
	result->total.tally.ends = CONNECTIONS;
	result->deserted = 1;
	result_judge(result);
	cr_assert_eq(result->code, LOAD_BREACHED);
	cr_assert_str_eq(result_verdict(result), "fail");
	cr_assert_not_null(strstr(result->failure, "0 of 4 alive"), "%s", result->failure);
	cr_assert_not_null(strstr(result->failure, "50 messages never sent"));
	cr_assert_eq(result->reason_count, 1);
	/* Who allows errors still hears of it. */
	load.allows_errors = true;
	result_judge(result);
	cr_assert_eq(result->code, LOAD_INVALID);
	cr_assert_str_not_empty(result->failure);
}

Test(result, a_server_that_never_answered_is_said_not_to_have)
{
	fall_silent();
	result_judge(result);
	cr_assert_eq(result->code, LOAD_BREACHED);
	cr_assert_not_null(strstr(result->failure, "nothing was answered"), "%s", result->failure);
	load.allows_errors = true;
	result_judge(result);
	cr_assert_eq(result->code, LOAD_INVALID, "nothing was measured");
	load.allows_errors = false;
	/* A generator that slept through it cannot say so. */
	result->total.tally.pause_max = CLOCK_SECOND;
	result_judge(result);
	cr_assert_eq(result->code, LOAD_INVALID);
	cr_assert_str_empty(result->failure);
}

Test(result, no_more_is_achieved_than_was_offered)
{
	result->total.tally.received = 130;
	result_judge(result);
	cr_assert_eq(result_offered(result), 100);
	cr_assert_eq(result_achieved(result), 100);
	cr_assert_eq(result->note_count, 1);
	cr_assert_not_null(strstr(*result->notes, "warm-up"), "%s", *result->notes);
	/* Of 9.2 messages that are due in a while, the tenth is due at its beginning. */
	result->planned = 99.2;
	result->total.tally.received = 100;
	cr_assert_eq(result_offered(result), 100);
	cr_assert_eq(result_achieved(result), 100);
}
