/* The state may be of another release: a field that is missing counts as 0, "?" or false, and
 * nothing fails. */
#include "master/ctl/view.h"

#include <string.h>
#include <time.h>

#include "master/ctl/field.h"
#include "master/ctl/tables.h"

double
view_imbalance(const json_t *state)
{
	const json_t *worker, *hub;
	json_int_t connections = 0;
	size_t i, j, hubs = 0;

	json_array_foreach(json_object_get(state, "workers"), i, worker)
	{
		json_array_foreach(json_object_get(worker, "hubs"), j, hub)
		{
			connections += field_whole(hub, "connections");
			hubs++;
		}
	}
	return connections > 0 && hubs > 1 ? field_number(state, "imbalance") : 0;
}

/* Prints "2 reloads", "1 reload". */
static void
print_count(FILE *stream, const char *before, json_int_t count, const char *what)
{
	fprintf(stream, "%s%lld %s%s", before, (long long)count, what, count == 1 ? "" : "s");
}

static void
print_totals(FILE *stream, const json_t *state)
{
	const json_t *totals = json_object_get(state, "totals");

	print_count(stream, "", field_whole(state, "connections"), "connection");
	fprintf(stream, " of %lld", field_whole(state, "max_connections"));
	if (view_imbalance(state) > 0)
		fprintf(stream, ", most on one hub %.2f times the mean", view_imbalance(state));
	fprintf(stream, "; %lld accepted", field_whole(totals, "accepts"));
	print_count(stream, ", ", field_whole(totals, "respawns"), "worker");
	fprintf(stream, " replaced");
	print_count(stream, ", ", field_whole(totals, "hangs"), "hang");
	print_count(stream, ", ", field_whole(totals, "reloads"), "reload");
	print_count(stream, ", ", field_whole(totals, "upgrades"), "upgrade");
	fprintf(stream, "\n");
	if (field_whole(totals, "datagrams") > 0) {
		print_count(stream, "", field_whole(totals, "datagrams"), "datagram");
		fprintf(stream, ", %lld answered\n", field_whole(totals, "replies"));
	}
	if (field_whole(totals, "refused") > 0) {
		print_count(stream, "", field_whole(totals, "refused"), "connection");
		fprintf(stream, " refused: the log says why\n");
	}
}

static void
print_head(FILE *stream, const json_t *state)
{
	const json_t *address;
	json_int_t processes = field_whole(state, "processes"),
		   threads = field_whole(state, "threads");
	size_t i;

	fprintf(stream, "%s %s, pid %lld: %s%s", field_text(state, "name"),
		field_text(state, "version"), field_whole(state, "pid"), field_text(state, "phase"),
		json_is_true(json_object_get(state, "ready")) ? ", ready" : ", not ready");
	fprintf(stream, "\nlistens on");
	json_array_foreach(json_object_get(state, "addresses"), i, address)
		fprintf(stream, "%s %s", i > 0 ? "," : "", json_string_value(address));
	fprintf(stream, "; %lld process%s", (long long)processes, processes == 1 ? "" : "es");
	print_count(stream, " x ", threads, "thread");
	fprintf(stream, ", generation %lld\n", field_whole(state, "generation"));
	print_totals(stream, state);
}

static void
print_table(FILE *stream, const struct tables_kind *kind, const json_t *state)
{
	table_columns columns = table_all(&kind->table);
	struct tables_lines lines = {0};
	char text[512];

	kind->collect(&lines, state, NULL, 0);
	for (size_t i = 0; i < lines.count; i++) {
		if (i == 0) {
			table_heading(text, sizeof text, &kind->table, columns);
			fprintf(stream, "\n%s\n", text);
		}
		table_write(text, sizeof text, &kind->table, columns, &lines.each[i]);
		fprintf(stream, "%s\n", text);
	}
	tables_free(&lines);
}

static void
print_events(FILE *stream, const json_t *events)
{
	const json_t *event;
	size_t i;

	json_array_foreach(events, i, event)
	{
		time_t when = (time_t)field_whole(event, "time");
		struct tm local;
		char text[32];

		if (i == 5)
			break;
		strftime(text, sizeof text, "%F %T", localtime_r(&when, &local));
		fprintf(stream, "%s%s  %s\n", i == 0 ? "\n" : "", text, field_text(event, "text"));
	}
}

void
view_print(FILE *stream, const json_t *state)
{
	print_head(stream, state);
	for (size_t i = 0; i < TABLES_MAX; i++)
		print_table(stream, &tables[i], state);
	print_events(stream, json_object_get(state, "events"));
}
