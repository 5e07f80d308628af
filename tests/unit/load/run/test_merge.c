/* Merging results that were made up. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hub/base/clock.h"
#include "tests/load/ask/field.h"
#include "tests/load/ask/random.h"
#include "tests/load/show/json_read.h"
#include "tests/unit/load/run/parts.h"

TestSuite(merge, .init = parts_begin, .fini = parts_end);

/* ---- sums ---- */

static void
assert_same(const struct histogram *one, const struct histogram *other, const char *what)
{
	cr_assert_eq(one->count, other->count, "%s", what);
	cr_assert_eq(one->min, other->min, "%s", what);
	cr_assert_eq(one->max, other->max, "%s", what);
	cr_assert_eq(one->sum, other->sum, "%s", what);
	cr_assert_arr_eq(one->buckets, other->buckets, sizeof one->buckets, "%s", what);
}

static void
assert_measured(const struct measurement *whole, const char *what)
{
	assert_same(&parts_merged->total.response, &whole->response, what);
	assert_same(&parts_merged->total.service, &whole->service, what);
	assert_same(&parts_merged->total.connect, &whole->connect, what);
	assert_same(&parts_merged->total.lag, &whole->lag, what);
	cr_assert_eq(parts_merged->total.tally.due, whole->tally.due, "%s", what);
	cr_assert_eq(parts_merged->total.tally.received, whole->tally.received, "%s", what);
	cr_assert_eq(
		parts_merged->total.tally.bytes_received, whole->tally.bytes_received, "%s", what);
	cr_assert_eq(parts_merged->total.seconds, 10, "%s", what);
}

/* What one generator would have measured, split at random among four: in any order, and in any
 * steps, it is the same. */
Test(merge, the_parts_of_a_run_are_the_run)
{
	static struct measurement whole;

	for (uint64_t seed = 1; seed <= 5; seed++) {
		uint64_t random = random_seed(seed, 1);
		struct result *all = parts_make(), *shares[PARTS_MAX];

		for (int i = 0; i < PARTS_MAX; i++)
			shares[i] = parts_make();
		for (int i = 0; i < 5000; i++) {
			int64_t time = (int64_t)(random_exponential(&random) * 1e6);

			parts_answer(all, time);
			/* The last parts are small, and one may be empty. */
			parts_answer(shares[(random_next(&random) % 64) *
					     (random_next(&random) % 64) * PARTS_MAX / 4096],
				time);
		}
		whole = all->total;
		parts_store(all, PARTS_MAX);
		for (int i = 0; i < PARTS_MAX; i++)
			parts_store(shares[i], i);
		PARTS_MERGE(0, 1, 2, 3);
		assert_measured(&whole, "at once");
		PARTS_MERGE(3, 1, 0, 2);
		assert_measured(&whole, "in another order");
		PARTS_MERGE(0, 1);
		parts_keep(5);
		PARTS_MERGE(2, 3);
		parts_keep(6);
		PARTS_MERGE(5, 6);
		assert_measured(&whole, "two and two");
		PARTS_MERGE(6, 1);
		parts_keep(5);
		PARTS_MERGE(0, 5);
		assert_measured(&whole, "one after the other");
		cr_assert_eq(parts_merged->reason_count, 0, "%s", *parts_merged->reasons);
		cr_assert_eq(parts_merged_load.connections, 16);
		cr_assert_eq(parts_merged_load.rate.from, 400);
		cr_assert_str_eq(parts_merged_load.rate_text, "400");
		cr_assert_eq(json_array_size(json_object_get(parts_merged->merged, "parts")), 4);
	}
}

#define NAMELESS 41 /* an errno without a name */

static void
fail(struct result *result)
{
	result->total.tally.timeouts = 3;
	result->total.tally.errors[SEGMENT_READ][ECONNRESET] = 2;
	result->total.tally.errors[SEGMENT_CONNECT][NAMELESS] = 1;
	result->total.tally.faults[MESSAGE_CROSSED] = 4;
	result->total.tally.pause_max = 5;
	result->total.tally.in_flight_max = 6;
	strcpy(result->offence, "byte 5");
}

Test(merge, errors_and_faults_add_and_keep_their_kinds)
{
	const struct tally *tally;

	parts_store_good(0, fail);
	parts_store_good(1, NULL);
	parts_store_good(2, fail);
	PARTS_MERGE(0, 1, 2);
	tally = &parts_merged->total.tally;
	cr_assert_eq(tally->timeouts, 6);
	cr_assert_eq(tally->errors[SEGMENT_READ][ECONNRESET], 4);
	cr_assert_eq(tally->errors[SEGMENT_CONNECT][NAMELESS], 2);
	cr_assert_eq(tally->faults[MESSAGE_CROSSED], 8);
	cr_assert_eq(tally->pause_max, 5, "the longest");
	cr_assert_eq(tally->in_flight_max, 12);
	cr_assert_str_eq(parts_merged->offence, "byte 5");
	cr_assert_eq(parts_merged->code, LOAD_CORRUPT);
}

static void
agree(struct result *result)
{
	result->total.tally.agreed[0] = 3;
	result->total.tally.agreed[2] = 5;
}

Test(merge, handshakes_add_by_the_protocol_that_they_agreed_on)
{
	cr_assert_null(field_alpn("h2,http/1.1", &parts_load));
	for (int i = 0; i < 3; i++)
		parts_store_good(i, agree);
	PARTS_MERGE(0, 1);
	/* What is merged can be merged. */
	parts_keep(1);
	PARTS_MERGE(2, 1);
	cr_assert_arr_eq(parts_merged->total.tally.agreed, ((const uint64_t[]){9, 0, 15}),
		3 * sizeof(uint64_t));
	cr_assert_eq(parts_merged->reason_count, 0, "%s", *parts_merged->reasons);
	cr_assert(parts_noted("9 TLS handshakes agreed on none of --alpn=h2,http/1.1"));
}

/* ---- the judgement ---- */

static void
slow_down(struct result *result)
{
	for (int i = 0; i < 15; i++)
		parts_answer(result, CLOCK_SECOND);
}

/* The gate of that text in the merged result. */
static const struct gate_result *
gate(const char *text)
{
	for (unsigned i = 0; i < parts_merged->gate_count; i++)
		if (strcmp(parts_merged->gates[i].gate->text, text) == 0)
			return &parts_merged->gates[i];
	return NULL;
}

Test(merge, gates_are_judged_by_all_replies)
{
	char why[128];

	cr_assert(gate_read(
		"p99>2ms", &parts_load.fail_if[parts_load.fail_if_count++], why, sizeof why));
	parts_store_good(0, slow_down);
	parts_store_good(1, NULL);
	PARTS_MERGE(0, 0);
	cr_assert_not(gate("p99>2ms")->is_ok, "1.5 %% of the replies are slow");
	PARTS_MERGE(0, 1);
	cr_assert_eq(parts_merged->gate_count, 1, "the parts have the same");
	cr_assert(gate("p99>2ms")->is_ok, "0.75 %% are");
	cr_assert_eq(parts_merged->code, LOAD_DONE);
	cr_assert(gate_read(
		"mps<300", &parts_load.fail_if[parts_load.fail_if_count++], why, sizeof why));
	parts_store_good(1, NULL);
	PARTS_MERGE(0, 1);
	cr_assert_eq(parts_merged->gate_count, 2, "one part has one more");
	cr_assert_eq(parts_merged->code, LOAD_BREACHED);
	cr_assert_float_eq(gate("mps<300")->value, 201.5, 1e-6, "rates add");
}

static void
shift_a_little(struct result *result)
{
	result->runs[0].began += 900000;
}

static void
shift_too_much(struct result *result)
{
	result->runs[0].began += 1100000;
}

static void
be_shorter(struct result *result)
{
	result->runs[0].seconds = result->total.seconds = 5;
}

static void
be_interrupted(struct result *result)
{
	result->signal = 2;
}

static void
send_late(struct result *result)
{
	for (int i = 0; i < 100; i++)
		histogram_record(&result->total.lag, CLOCK_SECOND);
}

static void
not_run(struct result *result)
{
	result->run_count = 0;
	strcpy(result->trouble, "no connection could be opened");
}

static void
run_twice(struct result *result)
{
	static struct run runs[2];

	free(result->runs);
	result->runs = calloc(2, sizeof *runs);
	result->runs[0] = result->runs[1] = (struct run){.began = PARTS_BEGAN, .seconds = 10};
	result->run_count = 2;
}

static void
go_elsewhere(struct result *result)
{
	(void)result;
	strcpy(parts_load.target_text[0], "10.0.0.2:9090");
}

static void
be_closed(struct result *result)
{
	(void)result;
	parts_load.is_open = false;
	parts_load.depth = 1;
}

static void
speak_tls(struct result *result)
{
	(void)result;
	parts_load.has_tls = true;
}

static void
be_larger(struct result *result)
{
	(void)result;
	strcpy(parts_load.sizes_text, "128");
}

static void
offer(struct result *result)
{
	(void)result;
	cr_assert_null(field_alpn("h2", &parts_load));
}

static void
come_through_a_balancer(struct result *result)
{
	(void)result;
	parts_load.proxy_header = LOAD_PROXY_V2;
}

Test(merge, parts_that_do_not_belong_together_are_invalid)
{
	static const struct {
		void (*spoil)(struct result *result);
		const char *reason; /* NULL: it is valid */
	} cases[] = {{NULL, NULL}, {shift_a_little, NULL}, {shift_too_much, "for 8.9 of 10 s"},
		{be_shorter, "for 5 of 10 s"}, {be_interrupted, "was interrupted"},
		{send_late, "went out late"}, {not_run, "no connection could be opened"},
		{run_twice, "2 runs"}, {go_elsewhere, "targets"}, {be_closed, "mode"},
		{speak_tls, "tls"}, {offer, "alpn"}, {come_through_a_balancer, "proxy_header"},
		{be_larger, "size"}};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct load before = parts_load;
		bool is_found = cases[i].reason == NULL;

		parts_store_good(0, NULL);
		parts_store_good(1, cases[i].spoil);
		parts_load = before;
		for (int is_first = 0; is_first < 2; is_first++) {
			PARTS_MERGE(is_first, 1 - is_first);
			cr_assert_eq(parts_merged->reason_count == 0, cases[i].reason == NULL,
				"case %zu: %s", i, *parts_merged->reasons);
			cr_assert_eq(parts_merged->code,
				cases[i].reason == NULL ? LOAD_DONE : LOAD_INVALID, "case %zu", i);
		}
		for (unsigned k = 0; k < parts_merged->reason_count; k++)
			is_found = is_found ||
				   strstr(parts_merged->reasons[k], cases[i].reason) != NULL;
		cr_assert(is_found, "case %zu: %s", i, *parts_merged->reasons);
	}
}

/* Makes a stored result one of schema 2, which knows no PROXY header and no protocols of TLS. */
static void
make_older(int number)
{
	json_t *result = json_load_file(parts_paths[number], 0, NULL),
	       *config = json_object_get(result, "config");

	cr_assert_eq(json_object_set_new(result, "schema_version", json_integer(2)), 0);
	cr_assert_eq(json_object_del(config, "alpn"), 0);
	cr_assert_eq(json_object_del(config, "proxy_header"), 0);
	cr_assert_eq(json_object_del(json_object_get(result, "connections"), "alpn"), 0);
	cr_assert_eq(json_dump_file(result, parts_paths[number], 0), 0);
	json_decref(result);
}

Test(merge, an_older_result_merges_with_a_newer_one)
{
	parts_store_good(0, NULL);
	parts_store_good(1, NULL);
	parts_store_good(2, come_through_a_balancer);
	parts_load.proxy_header = LOAD_PROXY_OFF;
	make_older(0);
	for (int is_first = 0; is_first < 2; is_first++) {
		PARTS_MERGE(is_first, 1 - is_first);
		cr_assert_eq(parts_merged->code, LOAD_DONE, "%s", *parts_merged->reasons);
		cr_assert_eq(parts_merged->total.tally.received, 2000);
	}
	PARTS_MERGE(0, 2);
	cr_assert_eq(parts_merged->code, LOAD_INVALID);
	cr_assert_not_null(
		strstr(*parts_merged->reasons, "proxy_header"), "%s", *parts_merged->reasons);
	make_older(1);
	PARTS_MERGE(0, 1);
	cr_assert_eq(parts_merged->code, LOAD_DONE, "%s", *parts_merged->reasons);
}

Test(merge, a_run_counts_once_however_often_it_is_named)
{
	parts_store_good(0, NULL);
	parts_store_good(1, NULL);
	parts_store_good(2, NULL);
	PARTS_MERGE(0, 1, 0);
	cr_assert_eq(parts_merged->code, LOAD_INVALID);
	cr_assert_not_null(
		strstr(*parts_merged->reasons, "the same run"), "%s", *parts_merged->reasons);
	PARTS_MERGE(0, 1);
	parts_keep(5);
	PARTS_MERGE(5, 2);
	cr_assert_eq(parts_merged->code, LOAD_DONE, "%s", *parts_merged->reasons);
	PARTS_MERGE(5, 1);
	cr_assert_eq(parts_merged->code, LOAD_INVALID, "inside another merged one");
}

/* ---- the server ---- */

static json_t *
counted(int messages)
{
	return json_pack("{s:i}", "messages", messages);
}

static void
ask_server(struct result *result)
{
	parts_load.server_stats = "10.0.0.1:9091";
	result->server_before = counted(100);
	result->server_after = counted(300);
}

static void
ask_server_later(struct result *result)
{
	parts_load.server_stats = "10.0.0.1:9091";
	result->runs[0].began += 500000;
	result->server_before = counted(110);
	result->server_after = counted(320);
}

Test(merge, a_server_that_all_asked_is_not_counted_twice)
{
	parts_store_good(0, ask_server);
	parts_store_good(1, ask_server_later);
	PARTS_MERGE(1, 0);
	cr_assert_eq(json_number_at(parts_merged->merged, "server.before.messages", 0), 100);
	cr_assert_eq(json_number_at(parts_merged->merged, "server.after.messages", 0), 320);
	parts_load.server_stats = NULL;
	parts_store_good(1, NULL);
	PARTS_MERGE(1, 0);
	cr_assert_eq(json_number_at(parts_merged->merged, "server.after.messages", 0), 300);
}
