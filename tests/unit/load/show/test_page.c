#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/load/show/page.h"

static char path[] = "/tmp/hubbub-page-XXXXXX";
static char page[200000];

/* Writes the page of the result with this text, and reads it back. */
static const char *
page_of(const char *text)
{
	json_t *result = json_loads(text, 0, NULL);
	int fd = mkstemp(path);
	ssize_t length;

	cr_assert_not_null(result);
	cr_assert_neq(fd, -1);
	cr_assert(page_write(path, result, NULL));
	json_decref(result);
	close(fd);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	length = read(fd, page, sizeof page - 1);
	cr_assert_gt(length, 0);
	page[length] = '\0';
	close(fd);
	unlink(path);
	return page;
}

#define CLOSED                                                                                     \
	"{\"verdict\": \"pass\", \"started\": \"today\", \"load\": {\"achieved\": 20},"            \
	"\"errors\": {\"total\": 1}, \"config\": {\"targets\": [\"a<b:1\"], \"mode\": \"closed\"," \
	"\"depth\": 2, \"connections\": 1, \"size\": \"64\", \"reply\": \"echo\", \"count\": 40,"  \
	"\"max_lag_share\": 0.1, \"fail_if\": [], \"tls\": true,"                                  \
	"\"argv\": [\"hubbub-load\", \"--fail-if=it's>1\", \"-c1\", \"\"]},"                       \
	"\"latency_ns\": {"                                                                        \
	"\"response\": {\"count\": 40, \"p50\": 30000, \"p99\": null, \"max\": 90000},"            \
	"\"service\": {\"count\": 40, \"p50\": 30000, \"p99\": null, \"max\": 90000},"             \
	"\"connect\": {\"count\": 0}, \"send_lag\": {\"count\": 0}}}"

Test(page, says_on_top_what_was_tested)
{
	const char *text = page_of(CLOSED);

	cr_assert_not_null(strstr(text, "<h1>Load on a&lt;b:1</h1>\n<p>Closed loop, 2 in flight on "
					"each connection; 1 connection by TLS; 64 B, reply echo; "
					"40 messages.</p>"),
		"%s", text);
	cr_assert_not_null(
		strstr(text, "20 replies a second, the slowest after 90us, 1 error, "), "%s", text);
}

/* In a closed loop the times of response and of service are the same ones. */
Test(page, shows_the_times_that_there_are)
{
	const char *text = page_of(CLOSED);

	cr_assert_not_null(
		strstr(text, "response<br><small>from the send</small></th></tr>"), "%s", text);
	cr_assert_not_null(strstr(text, "p50</th><td>30us</td></tr>"), "%s", text);
	cr_assert_not_null(strstr(text, "p99</th><td>-</td></tr>"), "%s", text);
	cr_assert_null(strstr(text, "<h2>Runs"), "%s", text);
	cr_assert_null(strstr(text, "<h2>Gates"), "%s", text);
}

Test(page, a_shell_reads_back_the_command)
{
	const char *text = page_of(CLOSED);

	cr_assert_not_null(strstr(text, "<pre>hubbub-load '--fail-if=it'\\''s&gt;1' -c1 ''</pre>"),
		"%s", text);
}

Test(page, says_the_configuration_in_short_numbers)
{
	const char *text = page_of(CLOSED);

	cr_assert_not_null(strstr(text, "max_lag_share</th><td>0.1</td>"), "%s", text);
	cr_assert_not_null(strstr(text, "targets</th><td>a&lt;b:1</td>"), "%s", text);
	cr_assert_null(strstr(text, "fail_if</th>"), "%s", text);
	cr_assert_null(strstr(text, "argv</th>"), "%s", text);
}

Test(page, each_run_has_a_line)
{
	const char *text = page_of(
		"{\"config\": {\"mode\": \"open\", \"rate_shape\": \"1k\", \"arrivals\": "
		"\"poisson\","
		"\"connections\": 3, \"idle\": 7, \"requests\": [1, 2], \"reply\": \"http\","
		"\"duration_s\": 0.5, \"warmup_s\": 1.0, \"repeat\": 2}, \"runs\": ["
		"{\"achieved\": 1000, \"p50\": 1000, \"p99\": 2000, \"max\": 3000, \"errors\": 0},"
		"{\"achieved\": 900, \"p50\": 1000, \"p99\": null, \"max\": 3000, \"errors\": "
		"4}]}");

	cr_assert_not_null(
		strstr(text, "<p>Open loop, 1k messages a second, poisson; 3 connections "
			     "and 7 idle; 2 requests, reply http; 500ms after 1.00s of "
			     "warm-up, 2 times.</p>"),
		"%s", text);
	cr_assert_not_null(
		strstr(text, "<tr><td>2</td><td>900</td><td>1.0us</td><td>-</td><td>3.0us</td>"
			     "<td>4</td></tr>"),
		"%s", text);
}
