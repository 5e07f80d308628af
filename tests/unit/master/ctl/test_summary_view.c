#include "master/ctl/summary_view.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static char *text;

static void
print(int width)
{
	json_t *summary = json_pack(
		"{s:i, s:f, s:f, s:[{s:s, s:i, s:f, s:f, s:f, s:[{s:s, s:i, s:f}]}],"
		" s:[{s:s, s:i, s:i, s:i, s:i, s:f, s:f, s:b, s:f, s:f, s:f,"
		" s:[{s:s, s:i, s:f}]}]}",
		"hubs", 2, "seconds", 2., "idle", 1.5, "coroutines", "name", "serve", "runs", 1500,
		"running", .25, "queued", .001, "waiting", 12., "waits", "for", "recv", "times", 7,
		"seconds", 11., "requests", "name", "serve", "pid", 77, "worker", 1, "hub", 0, "fd",
		12, "began", .5, "seconds", .2, "answered", 0, "running", .1, "queued", .02,
		"waiting", .08, "waits", "for", "lock", "times", 1, "seconds", .08);
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	cr_assert_not_null(summary);
	summary_print(stream, summary, width);
	fclose(stream);
	json_decref(summary);
}

static void
end(void)
{
	free(text);
}

TestSuite(summary_view, .fini = end);

Test(summary_view, has_all_where_there_is_room)
{
	print(0);
	cr_assert_str_eq(text, "2 hubs, together 2.000 s, busy 25.0 %\n"
			       "\n"
			       "COROUTINE         RUNS    RAN QUEUED WAITED\n"
			       "serve             1.5k 250 ms 1.0 ms   12 s\n"
			       "\n"
			       "COROUTINE        WAITED FOR   TIMES   TIME\n"
			       "serve            recv             7   11 s\n"
			       "\n"
			       "SLOWEST            TOOK    RAN QUEUED WAITED MOST FOR     HUB      "
			       "FD BEGAN\n"
			       "serve            200 ms 100 ms  20 ms  80 ms lock         1/0      "
			       "12 0.500 s ...\n");
}

/* Whole columns are left out, with a sign. */
Test(summary_view, fits_a_narrow_terminal)
{
	print(40);
	for (const char *line = text, *next; *line != '\0'; line = next + 1) {
		next = strchr(line, '\n');
		cr_assert_leq(next - line, 40, "%s", text);
	}
	cr_assert_not_null(strstr(text, "SLOWEST            TOOK    RAN +6\n"), "%s", text);
}
