/* Three tables: coroutines by the time for which they ran, what they waited for, and the slowest
 * requests. */
#include "master/ctl/summary_view.h"

#include <stdlib.h>

#include "hub/base/log.h"
#include "master/ctl/field.h"
#include "master/ctl/table.h"

/* ---- columns ---- */

static void
name_of(char *text, size_t size, const struct table_line *line)
{
	snprintf(text, size, "%s", line->name);
}

static void
word_of(char *text, size_t size, const struct table_line *line)
{
	snprintf(text, size, "%s", field_text(line->object, "for"));
}

static void
hub_of(char *text, size_t size, const struct table_line *line)
{
	snprintf(text, size, "%lld/%lld", field_whole(line->object, "worker"),
		field_whole(line->object, "hub"));
}

/* What it waited for longest. */
static void
most_of(char *text, size_t size, const struct table_line *line)
{
	const json_t *wait, *most = NULL;
	size_t i;

	json_array_foreach(json_object_get(line->object, "waits"), i,
		wait) if (most == NULL || field_number(wait, "seconds") >
						  field_number(most, "seconds")) most = wait;
	snprintf(text, size, "%s", most != NULL ? field_text(most, "for") : "-");
}

/* Marks what has not ended. */
static void
began_of(char *text, size_t size, const struct table_line *line)
{
	snprintf(text, size, "%.3f s%s", field_number(line->object, "began"),
		json_is_true(json_object_get(line->object, "answered")) ? "" : " ...");
}

#define NUMBER(key)                                                                                \
	static double key##_of(const struct table_line *line)                                      \
	{                                                                                          \
		return json_number_value(json_object_get(line->object, #key));                     \
	}
NUMBER(runs)
NUMBER(running)
NUMBER(queued)
NUMBER(waiting)
NUMBER(times)
NUMBER(seconds)
NUMBER(fd)

static const struct table_column coroutine_columns[] = {
	{"COROUTINE", NULL, "its name, or function", 0, -16, 0, TABLE_TEXT, name_of, NULL},
	{"RUNS", NULL, "times that it got the hub", 1, 5, 2, TABLE_SHORT, NULL, runs_of},
	{"RAN", NULL, "time on the hub", 1, 6, 0, TABLE_TIME, NULL, running_of},
	{"QUEUED", NULL, "time in the run queue", 1, 6, 0, TABLE_TIME, NULL, queued_of},
	{"WAITED", NULL, "time in waits", 1, 6, 1, TABLE_TIME, NULL, waiting_of},
};

static const struct table_column wait_columns[] = {
	{"COROUTINE", NULL, "its name, or function", 0, -16, 0, TABLE_TEXT, name_of, NULL},
	{"WAITED FOR", NULL, "the word for it", 1, -12, 0, TABLE_TEXT, word_of, NULL},
	{"TIMES", NULL, "waits", 1, 5, 1, TABLE_SHORT, NULL, times_of},
	{"TIME", NULL, "in all of them", 1, 6, 0, TABLE_TIME, NULL, seconds_of},
};

static const struct table_column request_columns[] = {
	{"SLOWEST", NULL, "the coroutine", 0, -16, 0, TABLE_TEXT, name_of, NULL},
	{"TOOK", NULL, "from its bytes to the end of its answer", 1, 6, 0, TABLE_TIME, NULL,
		seconds_of},
	{"RAN", NULL, "of that, on the hub", 1, 6, 1, TABLE_TIME, NULL, running_of},
	{"QUEUED", NULL, "of that, in the run queue", 1, 6, 2, TABLE_TIME, NULL, queued_of},
	{"WAITED", NULL, "of that, in waits", 1, 6, 3, TABLE_TIME, NULL, waiting_of},
	{"MOST FOR", NULL, "the longest of its waits", 1, -12, 4, TABLE_TEXT, most_of, NULL},
	{"HUB", NULL, "worker and hub", 1, -5, 6, TABLE_TEXT, hub_of, NULL},
	{"FD", NULL, "the connection", 1, 5, 7, TABLE_WHOLE, NULL, fd_of},
	{"BEGAN", NULL, "after the trace; ...: it has not ended", 1, -13, 5, TABLE_TEXT, began_of,
		NULL},
};

#define TABLE(columns)                                                                             \
	{                                                                                          \
		columns, sizeof columns / sizeof columns[0]                                        \
	}
static const struct table coroutine_table = TABLE(coroutine_columns);
static const struct table wait_table = TABLE(wait_columns);
static const struct table request_table = TABLE(request_columns);

/* ---- lines ---- */

/* The larger number stands first. */
static int
by_running(const void *a, const void *b)
{
	return table_compare(&coroutine_columns[2], a, b);
}

static int
by_seconds(const void *a, const void *b)
{
	return table_compare(&wait_columns[3], a, b);
}

struct lines {
	struct table_line *each;
	size_t count;
};

/* Without memory it is missing. */
static void
add(struct lines *lines, const char *name, const json_t *object)
{
	struct table_line *grown = realloc(lines->each, (lines->count + 1) * sizeof *lines->each);

	if (grown == NULL)
		return;
	lines->each = grown;
	grown[lines->count] = (struct table_line){
		.name = name, .object = object, .seconds = 1, .order = lines->count};
	lines->count++;
}

/* Prints and frees the lines. */
static void
print(FILE *stream, const struct table *table, struct lines *lines, int width)
{
	table_columns columns = width > 0 ? table_fit(table, width) : table_all(table);
	char text[512];

	if (lines->count > 0) {
		table_heading(text, sizeof text, table, columns);
		fprintf(stream, "\n%s\n", text);
	}
	for (size_t i = 0; i < lines->count; i++) {
		table_write(text, sizeof text, table, columns, &lines->each[i]);
		fprintf(stream, "%s\n", text);
	}
	free(lines->each);
	*lines = (struct lines){0};
}

static void
sort(struct lines *lines, int (*compare)(const void *a, const void *b))
{
	if (lines->count > 0)
		qsort(lines->each, lines->count, sizeof *lines->each, compare);
}

static void
print_coroutines(FILE *stream, const json_t *coroutines, int width)
{
	struct lines lines = {0}, waits = {0};
	const json_t *coroutine, *wait;
	size_t i, j;

	json_array_foreach(coroutines, i, coroutine)
	{
		add(&lines, field_text(coroutine, "name"), coroutine);
		json_array_foreach(json_object_get(coroutine, "waits"), j, wait)
			add(&waits, field_text(coroutine, "name"), wait);
	}
	sort(&lines, by_running);
	sort(&waits, by_seconds);
	print(stream, &coroutine_table, &lines, width);
	print(stream, &wait_table, &waits, width);
}

void
summary_print(FILE *stream, const json_t *summary, int width)
{
	double seconds = field_number(summary, "seconds"), idle = field_number(summary, "idle");
	unsigned hubs = (unsigned)field_whole(summary, "hubs");
	struct lines lines = {0};
	const json_t *request;
	size_t i;

	fprintf(stream, "%u hub%s, together %.3f s, busy %.1f %%\n", hubs, log_plural(hubs, "s"),
		seconds, idle < seconds ? 100 * (1 - idle / seconds) : 0.);
	print_coroutines(stream, json_object_get(summary, "coroutines"), width);
	json_array_foreach(json_object_get(summary, "requests"), i, request)
		add(&lines, field_text(request, "name"), request);
	print(stream, &request_table, &lines, width);
}
