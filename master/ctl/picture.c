/* All that may be shown is one list of lines, of which the screen shows a part: below the head,
 * under the heading of the table in which that part begins. */
#include "master/ctl/picture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "master/ctl/field.h"
#include "master/ctl/tables.h"
#include "master/ctl/view.h"

#define BAR 20             /* columns of a bar */
#define ROWS_OF_A_BLANK 16 /* a lower screen has no room for a blank line */
#define PAGE 10

/* ---- keys ---- */

static void
type(struct picture *picture, int key)
{
	size_t length = strlen(picture->filter);

	if (key == '\n' || key == '\r' || key == PICTURE_ESCAPE)
		picture->is_typing = false;
	if (key == PICTURE_ESCAPE)
		picture->filter[0] = '\0';
	if (key == PICTURE_ERASE && length > 0)
		picture->filter[length - 1] = '\0';
	if (key >= ' ' && key < 127 && length + 1 < sizeof picture->filter)
		snprintf(picture->filter + length, 2, "%c", key);
}

bool
picture_key(struct picture *picture, int key)
{
	const unsigned columns = tables[TABLES_HUBS].table.count;

	if (picture->is_typing) {
		type(picture, key);
		return true;
	}
	if (picture->shows_help) {
		picture->shows_help = false;
		return key != 'q';
	}
	if (key == 'h' || key == '?')
		picture->shows_help = true;
	else if (key == '/')
		picture->is_typing = true;
	else if (key == PICTURE_ESCAPE)
		*picture = (struct picture){0};
	else if (key == 'r')
		picture->is_reversed = !picture->is_reversed;
	else if (key == '>')
		picture->sort = (picture->sort + 1) % (columns + 1);
	else if (key == '<')
		picture->sort = (picture->sort + columns) % (columns + 1);
	else if (key == 'j')
		picture->first++;
	else if (key == 'k')
		picture->first -= picture->first > 0;
	else if (key == ' ')
		picture->first += PAGE;
	else if (key == 'b')
		picture->first -= picture->first < PAGE ? picture->first : PAGE;
	return key != 'q';
}

/* ---- tables ---- */

struct sorting {
	const struct table_column *column;
	bool is_reversed;
};

static int
compare(const void *a, const void *b, void *context)
{
	const struct sorting *sorting = context;
	int result = table_compare(sorting->column, a, b);

	return sorting->is_reversed ? -result : result;
}

static int
reverse(const void *a, const void *b, void *context)
{
	const struct table_line *first = a, *second = b;

	(void)context;
	return (first->order < second->order) - (first->order > second->order);
}

static void
sort(const struct picture *picture, struct tables_lines *lines)
{
	const struct table_column *columns = tables[TABLES_HUBS].table.columns;
	struct sorting sorting = {.is_reversed = picture->is_reversed};

	if (lines->count == 0)
		return;
	if (picture->sort > 0) {
		sorting.column = &columns[picture->sort - 1];
		qsort_r(lines->each, lines->count, sizeof *lines->each, compare, &sorting);
	} else if (picture->is_reversed) {
		qsort_r(lines->each, lines->count, sizeof *lines->each, reverse, NULL);
	}
}

static bool
passes(const struct picture *picture, const struct table *table, const struct table_line *line)
{
	char text[SCREEN_LINE_SIZE];

	table_write(text, sizeof text, table, table_all(table), line);
	return strcasestr(text, picture->filter) != NULL;
}

/* Appends a bar that shows which share of the server's connections the hub has, if the screen is
 * wide enough. */
static void
append_bar(char *text, int column, int width, const struct table_line *line)
{
	json_int_t all = json_integer_value(json_object_get(line->state, "connections"));
	json_int_t own = json_integer_value(json_object_get(line->hub, "connections"));
	double share = own > 0 && all > 0 ? (double)own / (double)all : 0;
	int length = (int)strlen(text), marks = (int)((share < 1 ? share : 1) * BAR);

	if (line->hub == NULL || column + BAR > width || column < length)
		return;
	snprintf(text + length, (size_t)(SCREEN_LINE_SIZE - length), "%*s%.*s%.*s", column - length,
		"", marks, "####################", BAR - marks, "....................");
}

static void
add_hubs(struct screen_lines *body, const struct picture *picture, struct tables_lines *lines)
{
	const struct table *table = &tables[TABLES_HUBS].table;
	table_columns columns = table_fit(table, body->width);
	int bar = table_width(table, columns) + 4;
	char text[SCREEN_LINE_SIZE];
	size_t shown = 0;

	sort(picture, lines);
	for (size_t i = 0; i < lines->count; i++) {
		const struct table_line *line = &lines->each[i];
		bool is_hung = json_is_true(json_object_get(line->hub, "hung"));

		if (!passes(picture, table, line))
			continue;
		table_write(text, sizeof text, table, columns, line);
		append_bar(text, bar, body->width, line);
		screen_add(body, is_hung ? SCREEN_BOLD : SCREEN_PLAIN, "%s", text);
		shown++;
	}
	if (shown == 0 && lines->count > 0)
		screen_add(body, SCREEN_PLAIN, "no line has \"%s\"", picture->filter);
}

static void
add_table(struct screen_lines *body, const struct picture *picture, unsigned kind,
	const json_t *state, const json_t *before, double seconds)
{
	const struct table *table = &tables[kind].table;
	table_columns columns = table_fit(table, body->width);
	struct tables_lines lines = {0};
	char text[SCREEN_LINE_SIZE];

	tables[kind].collect(&lines, state, before, seconds);
	if (lines.count > 0 || kind == TABLES_HUBS) {
		if (body->count > 0)
			screen_add(body, SCREEN_PLAIN, "%s", "");
		table_heading(text, sizeof text, table, columns);
		screen_add(body, SCREEN_HEADING, "%s", text);
	}
	if (kind == TABLES_HUBS) {
		add_hubs(body, picture, &lines);
	} else {
		for (size_t i = 0; i < lines.count; i++) {
			table_write(text, sizeof text, table, columns, &lines.each[i]);
			screen_add(body, SCREEN_PLAIN, "%s", text);
		}
	}
	tables_free(&lines);
}

static void
add_events(struct screen_lines *body, const json_t *state)
{
	const json_t *events = json_object_get(state, "events"), *event;
	size_t i;

	if (json_array_size(events) == 0)
		return;
	screen_add(body, SCREEN_PLAIN, "%s", "");
	screen_add(body, SCREEN_HEADING, "EVENTS");
	json_array_foreach(events, i, event)
	{
		const char *text = json_string_value(json_object_get(event, "text"));
		time_t when = (time_t)json_integer_value(json_object_get(event, "time"));
		struct tm local = {0};

		localtime_r(&when, &local);
		screen_add(body, SCREEN_PLAIN, "%02d:%02d:%02d  %s", local.tm_hour, local.tm_min,
			local.tm_sec, text != NULL ? text : "?");
	}
}

/* ---- help ---- */

static const char *const keys[][2] = {
	{"q", "quit"},
	{"left, right or < >", "sort the hubs by the next column"},
	{"r", "in the other direction"},
	{"/", "show only hubs whose line has a text; Enter keeps it, Esc removes it"},
	{"up, down, space, b", "scroll by a line, or by ten"},
	{"Esc", "everything as at first"},
};

static void
add_help(struct screen_lines *body)
{
	const struct table *table = &tables[TABLES_HUBS].table;

	screen_add(body, SCREEN_HEADING, "KEYS (any key ends this help)");
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		screen_explain(body, keys[i][0], keys[i][1]);
	screen_add(body, SCREEN_PLAIN, "%s", "");
	screen_add(body, SCREEN_HEADING, "COLUMNS");
	for (unsigned i = 0; i < table->count; i++) {
		const struct table_column *column = &table->columns[i];
		bool is_rate = column->rate_heading != NULL;

		screen_explain(
			body, is_rate ? column->rate_heading : column->heading, column->meaning);
	}
	screen_explain(body, "+2", "so many columns do not fit the screen");
	screen_explain(body, "####....", "share of the server's connections");
}

/* ---- head and foot ---- */

/* Appends how much a total grows in a second. */
static void
join_rate(char *text, int width, const char *what, const json_t *state, const json_t *before,
	const char *key, double seconds)
{
	long long now = field_whole(json_object_get(state, "totals"), key);
	long long then = field_whole(json_object_get(before, "totals"), key);
	char number[16];

	table_number(number, sizeof number, TABLE_SHORT,
		before != NULL && seconds > 0 && now >= then ? (double)(now - then) / seconds
							     : NAN);
	screen_join(text, width, "%s %s", what, number);
}

static void
compose_head(struct screen_line *lines, int width, const json_t *state, const json_t *before,
	double seconds)
{
	char *text = lines[0].text;

	lines[0].look = SCREEN_BOLD;
	screen_join(text, width, "%s", field_text(state, "name"));
	screen_join(text, width, "%s%s", field_text(state, "phase"),
		json_is_true(json_object_get(state, "changing")) ? " (changing)" : "");
	screen_join(text, width, "pid %lld", field_whole(state, "pid"));
	screen_join(text, width, "%lldx%lld", field_whole(state, "processes"),
		field_whole(state, "threads"));
	screen_join(text, width, "generation %lld", field_whole(state, "generation"));
	screen_fit(text, width);
	text = lines[1].text;
	screen_join(text, width, "connections %lld of %lld", field_whole(state, "connections"),
		field_whole(state, "max_connections"));
	join_rate(text, width, "new/s", state, before, "accepts", seconds);
	join_rate(text, width, "in/s", state, before, "received_bytes", seconds);
	join_rate(text, width, "out/s", state, before, "sent_bytes", seconds);
	if (view_imbalance(state) > 0)
		screen_join(text, width, "most/mean %.2f", view_imbalance(state));
	screen_fit(text, width);
}

static void
compose_foot(struct screen_line *line, const struct picture *picture, int width, size_t last,
	size_t count)
{
	const struct table_column *column = tables[TABLES_HUBS].table.columns;

	if (picture->is_typing) {
		screen_join(line->text, width, "filter: %s_", picture->filter);
		screen_fit(line->text, width);
		return;
	}
	screen_join(line->text, width, "q quit");
	screen_fit(line->text, width);
	screen_join(line->text, width, "h help");
	if (picture->first > 0 || last < count)
		screen_join(
			line->text, width, "%zu to %zu of %zu", picture->first + 1, last, count);
	if (picture->filter[0] != '\0')
		screen_join(line->text, width, "with \"%s\"", picture->filter);
	if (picture->sort > 0) {
		column += picture->sort - 1;
		screen_join(line->text, width, "by %s",
			column->rate_heading != NULL ? column->rate_heading : column->heading);
	}
	if (picture->is_reversed)
		screen_join(line->text, width, "reversed");
}

/* ---- the whole ---- */

static void
fill(struct screen_lines *body, const struct picture *picture, const json_t *state,
	const json_t *before, double seconds)
{
	if (picture->shows_help) {
		add_help(body);
		return;
	}
	for (unsigned kind = 0; kind < TABLES_MAX; kind++)
		add_table(body, picture, kind, state, before, seconds);
	add_events(body, state);
}

void
picture_compose(struct picture *picture, struct screen_line *lines, unsigned rows, int width,
	const json_t *state, const json_t *before, double seconds)
{
	struct screen_lines body = {
		.width = width < SCREEN_LINE_SIZE ? width : SCREEN_LINE_SIZE - 1};
	unsigned top = rows < ROWS_OF_A_BLANK ? 2 : 3, room = rows > top + 2 ? rows - top - 2 : 0;
	size_t first, shown;

	memset(lines, 0, rows * sizeof *lines);
	if (rows < 2)
		return;
	compose_head(lines, body.width, state, before, seconds);
	fill(&body, picture, state, before, seconds);
	/* The first line is a heading, which stands above the part that is shown. */
	if (picture->first + room + 1 > body.count)
		picture->first = body.count > room + 1 ? body.count - room - 1 : 0;
	first = picture->first + 1;
	shown = body.count > first ? body.count - first : 0;
	shown = shown < room ? shown : room;
	if (room > 0 && body.count > 0) {
		size_t heading = first < body.count ? body.headings[first] : 0;

		lines[top] = body.each[heading];
		memcpy(&lines[top + 1], &body.each[first], shown * sizeof *lines);
	}
	if (rows > 2)
		compose_foot(&lines[rows - 1], picture, body.width, picture->first + shown,
			body.count > 0 ? body.count - 1 : 0);
	screen_free(&body);
}
