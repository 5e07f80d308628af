#include "master/change/summary.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/master/quiet.h"
#include "worker/counters.h"

static struct quiet quiet;
static char text[SUMMARY_SIZE];

/* The line without its address. */
static const char *
summary(void)
{
	summary_write(&quiet.master, text);
	cr_assert_eq(strncmp(text, "serving 127.0.0.1:", 18), 0, "%s", text);
	return strchr(text, ',') + 2;
}

Test(summary, tells_connections_and_which_were_refused_last)
{
	struct worker_row *row;

	quiet_set(&quiet);
	cr_assert_str_eq(summary(), "2 processes x 1 thread, 0 connections");
	row = counters_claim(quiet.master.counters, 1, 0, 1);
	cr_assert_not_null(row);
	counters_add(&row->opened, 3);
	counters_add(&row->closed, 2);
	cr_assert_str_eq(summary(), "2 processes x 1 thread, 1 connection");
	counters_add(&row->refused_tls, 2);
	cr_assert_str_eq(
		summary(), "2 processes x 1 thread, 1 connection, 2 refused (the last: tls)");
	counters_add(&row->refused_header, 1);
	cr_assert_str_eq(
		summary(), "2 processes x 1 thread, 1 connection, 3 refused (the last: header)");
	counters_add(&row->refused_tls, 1);
	cr_assert_str_eq(
		summary(), "2 processes x 1 thread, 1 connection, 4 refused (the last: tls)");
	quiet_clear(&quiet);
}

/* As after an upgrade. */
Test(summary, does_not_guess_which_was_the_last_before_it)
{
	struct worker_row *row;

	quiet_set(&quiet);
	row = counters_claim(quiet.master.counters, 1, 0, 1);
	cr_assert_not_null(row);
	counters_add(&row->refused_header, 1);
	counters_add(&row->refused_tls, 2);
	cr_assert_str_eq(summary(), "2 processes x 1 thread, 0 connections, 3 refused");
	counters_add(&row->refused_header, 1);
	cr_assert_str_eq(
		summary(), "2 processes x 1 thread, 0 connections, 4 refused (the last: header)");
	quiet_clear(&quiet);
}

Test(summary, tells_which_change_was_refused_until_one_succeeds)
{
	char long_reason[600];

	quiet_set(&quiet);
	summary_refused("reload", "--processes: 'many'\nis no number");
	cr_assert_str_eq(summary(), "2 processes x 1 thread, 0 connections; reload refused: "
				    "--processes: 'many' is no number");
	summary_refused("upgrade", "it is broken");
	cr_assert_str_eq(summary(), "2 processes x 1 thread, 0 connections; upgrade refused: it "
				    "is broken");
	summary_accepted();
	cr_assert_str_eq(summary(), "2 processes x 1 thread, 0 connections");
	memset(long_reason, 'x', sizeof long_reason - 1);
	long_reason[sizeof long_reason - 1] = '\0';
	summary_refused("reload", long_reason);
	cr_assert_lt(strlen(summary()), sizeof text);
	for (size_t begin = 0; begin < 2; begin++) {
		long_reason[0] = 'x';
		for (size_t i = begin; i + 1 < sizeof long_reason - 1; i += 2)
			memcpy(long_reason + i, "\xc3\xa9", 2);
		summary_refused("reload", long_reason);
		cr_assert_null(strstr(summary(), "\\x"), "half a character: %s", text);
	}
	quiet_clear(&quiet);
}

Test(summary, names_two_addresses_and_how_many_more)
{
	struct address addresses[4];
	struct sockets *sockets = &quiet.master.sockets, kept;
	const char *why;

	quiet_set(&quiet);
	kept = *sockets;
	for (unsigned i = 0; i < 4; i++) {
		struct address found[ADDRESSES_MAX];
		static const char *const names[] = {
			"127.0.0.1:90", "unix:/a/\xff", "[::1]:90", ":91"};

		cr_assert_eq(address_parse(names[i], found, &why), 1);
		addresses[i] = found[0];
	}
	sockets->addresses = addresses;
	sockets->address_count = 2;
	summary_write(&quiet.master, text);
	cr_assert_eq(strstr(text, "serving 127.0.0.1:90, unix:/a/\\xff, 2 proc"), text, "%s", text);
	sockets->address_count = 4;
	summary_write(&quiet.master, text);
	cr_assert_eq(strstr(text, "serving 127.0.0.1:90, unix:/a/\\xff and 2 more, 2 proc"), text,
		"%s", text);
	*sockets = kept;
	quiet_clear(&quiet);
}
