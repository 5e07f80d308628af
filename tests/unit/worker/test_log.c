/* A service's lines: from where they come, and how many of them. */
#include "worker/log.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hub/base/log.h"
#include "tests/support/complaint.h"
#include "tests/support/in_hub.h"
#include "tests/unit/worker/shared.h"
#include "worker/log_priv.h"
#include "worker/service.h"
#include "worker/thread.h"

TestSuite(service_log, .init = shared_begin, .fini = shared_end, .timeout = 60);

/* What the log has said, without time and process of its first line. */
static const char *
heard(void)
{
	const char *text = complaint_heard(), *message = strstr(text, "]: ");

	return message != NULL ? message + 3 : text;
}

Test(service_log, a_line_has_message_and_fields)
{
	complaint_listen();
	errno = ENOENT;
	hubbub_log(HUBBUB_WARNING, "no such key=%s after=%d: %m", "a b", 3);
	cr_expect_eq(errno, ENOENT);
	cr_expect_str_eq(heard(), "no such after=3: No such file or directory key=\"a b\"\n");
}

Test(service_log, a_line_below_the_level_is_not_logged_and_takes_no_share)
{
	complaint_listen();
	log_setup("name", LOG_WARNING, LOG_TEXT);
	for (int i = 0; i < 200; i++)
		hubbub_log(i == 199 ? HUBBUB_ERROR : HUBBUB_DEBUG, "line %d", i);
	cr_expect_str_eq(heard(), "line 199\n");
}

/* ---- the limit ---- */

static void
log_often(int count)
{
	for (int i = 0; i < count; i++)
		hubbub_log(HUBBUB_INFO, "again");
}

static int
count_lines(const char *text)
{
	int count = 0;

	for (; (text = strchr(text, '\n')) != NULL; text++)
		count++;
	return count;
}

Test(service_log, a_place_logs_a_hundred_lines_at_once_and_the_rest_is_counted)
{
	uint64_t left;
	int lines;

	log_count_left_out(counters);
	complaint_listen();
	log_often(300);
	hubbub_log(HUBBUB_INFO, "elsewhere");
	lines = count_lines(complaint_heard()) - 1;
	left = counters_read(&counters_server(counters)->log_limited);
	/* Some more, if the machine was slow: ten a second. */
	cr_expect_geq(lines, 100);
	cr_expect_lt(lines, 200);
	cr_expect_eq(left + (uint64_t)lines, 300);
}

Test(service_log, the_next_line_tells_how_many_were_left_out)
{
	struct hubbub_log_site site = {.due = INT64_MAX / 2};

	complaint_listen();
	for (int i = 0; i < 3; i++)
		hubbub_log_at(&site, HUBBUB_ERROR, "again");
	site.due = 0;
	hubbub_log_at(&site, HUBBUB_ERROR, "again");
	hubbub_log_at(&site, HUBBUB_ERROR, "again");
	cr_expect_not_null(strstr(heard(), "again left_out=3\n"));
	cr_expect_eq(site.left, 0);
}

Test(service_log, a_place_without_a_limit_logs_all)
{
	complaint_listen();
	for (int i = 0; i < 150; i++)
		hubbub_log_at(NULL, HUBBUB_ERROR, "x");
	cr_expect_eq(count_lines(complaint_heard()), 150);
}

/* ---- from where ---- */

static struct hub_server *server;
static int pair[2];

static void
serve(int client, void *unused)
{
	(void)unused;
	hubbub_log(HUBBUB_INFO, "served");
	hub_close(client);
	hubbub_log(HUBBUB_INFO, "closed");
	/* A killed coroutine can say so. */
	hub_kill(hub_current());
	hubbub_log(HUBBUB_INFO, "killed");
}

static void *
serve_one(void *unused)
{
	socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
	hubbub_log(HUBBUB_INFO, "begun");
	server = hub_stream_server_new(-1, serve, NULL, NULL);
	hub_server_serve(server, pair[0]);
	hub_server_wait(server);
	hub_server_close(server);
	hub_server_free(server);
	close(pair[1]);
	return unused;
}

/* Each message with its context, without what stands before the message. */
static const char *
lines(const char *text)
{
	static char found[1024];
	size_t length = 0;

	found[0] = '\0';
	while ((text = strstr(text, "]: ")) != NULL) {
		size_t line = strcspn(text += 3, "\n") + 1;

		length += (size_t)snprintf(
			found + length, sizeof found - length, "%.*s", (int)line, text);
	}
	return found;
}

Test(service_log, a_line_says_in_which_hub_and_for_which_client)
{
	struct worker_row rows[2] = {{.generation = 5}, {.generation = 5}};
	struct worker_memo memo = {.workers = 4};
	struct worker_heritage heritage = {.index = 3, .threads = 2, .rows = rows, .memo = &memo};
	struct worker_thread thread;

	cr_assert_eq(thread_init(&thread, &heritage, 1, NULL), 0);
	service_use(&thread);
	complaint_listen();
	in_hub(serve_one, NULL);
	cr_expect_str_eq(lines(complaint_heard()),
		"begun worker=3 hub=1 coroutine=main\n"
		"served worker=3 hub=1 coroutine=connection client=unix\n"
		"closed worker=3 hub=1 coroutine=connection\n"
		"killed worker=3 hub=1 coroutine=connection\n");
	service_use(NULL);
	thread_fini(&thread);
}
