/* Each round asks for status in a dialogue of its own, draws, and then waits a second for a key.
 * Rates are differences between two states, so the first picture has none. */
#include "master/ctl/top.h"

#include <curses.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "master/ctl/dialogue.h"
#include "master/ctl/view.h"

#define EVERY 1000 /* milliseconds between two pictures */
#define BAR 20     /* columns of a bar */

static void
keep_state(char kind, const char *line, void *context)
{
	json_t **state = context;

	if (kind != '|')
		return;
	json_decref(*state);
	*state = json_loads(line, 0, NULL);
}

static double
now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static long long
whole(const json_t *object, const char *key)
{
	return (long long)json_integer_value(json_object_get(object, key));
}

static double
total_rate(const json_t *state, const json_t *before, const char *key, double seconds)
{
	if (before == NULL || seconds <= 0)
		return 0;
	return (double)(whole(json_object_get(state, "totals"), key) -
			whole(json_object_get(before, "totals"), key)) /
	       seconds;
}

static void
draw_head(const json_t *state, const json_t *before, double seconds)
{
	char news[16], in[16], out[16];

	view_short(news, sizeof news, total_rate(state, before, "accepts", seconds));
	view_short(in, sizeof in, total_rate(state, before, "received_bytes", seconds));
	view_short(out, sizeof out, total_rate(state, before, "sent_bytes", seconds));
	attron(A_BOLD);
	mvprintw(0, 0, "%s  pid %lld  %s", json_string_value(json_object_get(state, "name")),
		whole(state, "pid"), json_string_value(json_object_get(state, "phase")));
	attroff(A_BOLD);
	printw("  %lldx%lld  generation %lld%s", whole(state, "processes"), whole(state, "threads"),
		whole(state, "generation"),
		json_is_true(json_object_get(state, "changing")) ? "  (changing)" : "");
	mvprintw(1, 0, "connections %lld of %lld   new/s %s   in/s %s   out/s %s",
		whole(state, "connections"), whole(state, "max_connections"), news, in, out);
	if (view_imbalance(state) > 0)
		printw("   most/mean %.2f", view_imbalance(state));
}

/* Draws a bar that shows which share of the server's connections the hub has, if the screen is wide
 * enough. */
static void
draw_bar(int row, const json_t *state, const json_t *hub)
{
	long long all = whole(state, "connections"), own = whole(hub, "connections");
	int length = all > 0 ? (int)(own * BAR / all) : 0;
	int column = (int)strlen(view_hub_heading) + 4;

	if (COLS < column + BAR)
		return;
	for (int i = 0; i < BAR; i++)
		mvaddch(row, column + i, i < length ? '#' : '.');
}

static void
draw_line(int *row, const char *line)
{
	if (*row < LINES - 1)
		mvaddnstr((*row)++, 0, line, COLS);
}

static int
draw_workers(
	int row, const json_t *state, const json_t *workers, const json_t *before, double seconds)
{
	const json_t *worker, *hub;
	size_t i, j;
	char line[256];

	json_array_foreach(workers, i, worker)
	{
		if (json_array_size(json_object_get(worker, "hubs")) == 0) {
			view_worker(line, sizeof line, worker);
			draw_line(&row, line);
		}
		json_array_foreach(json_object_get(worker, "hubs"), j, hub)
		{
			if (row >= LINES - 1)
				return row;
			view_hub(line, sizeof line, worker, hub, before, seconds);
			if (json_is_true(json_object_get(hub, "hung")))
				attron(A_REVERSE);
			mvaddnstr(row, 0, line, COLS);
			attroff(A_REVERSE);
			draw_bar(row++, state, hub);
		}
	}
	return row;
}

static int
draw_requests(int row, const json_t *state, const json_t *before, double seconds)
{
	const json_t *worker, *hub;
	size_t i, j;
	char line[256];

	if (!view_has_requests(state))
		return row;
	row++;
	attron(A_REVERSE);
	draw_line(&row, view_requests_heading);
	attroff(A_REVERSE);
	json_array_foreach(json_object_get(state, "workers"), i, worker)
	{
		json_array_foreach(json_object_get(worker, "hubs"), j, hub)
		{
			view_requests(line, sizeof line, worker, hub, state, before, seconds);
			draw_line(&row, line);
		}
	}
	view_requests(line, sizeof line, NULL, NULL, state, before, seconds);
	draw_line(&row, line);
	return row;
}

static int
draw_listeners(int row, const json_t *state)
{
	char line[256];

	for (size_t i = 0; view_listener(line, sizeof line, state, i); i++) {
		if (i == 0) {
			row++;
			attron(A_REVERSE);
			draw_line(&row, view_listeners_heading);
			attroff(A_REVERSE);
		}
		draw_line(&row, line);
	}
	return row;
}

static int
draw_metrics(int row, json_t *metrics)
{
	const char *name;
	json_t *value;
	char line[256];

	row += json_object_size(metrics) > 0;
	json_object_foreach(metrics, name, value)
	{
		view_metric(line, sizeof line, name, value);
		draw_line(&row, line);
	}
	return row;
}

static void
draw(const json_t *state, const json_t *before, double seconds)
{
	const json_t *event;
	size_t i;
	int row;

	erase();
	draw_head(state, before, seconds);
	attron(A_REVERSE);
	mvaddnstr(3, 0, view_hub_heading, COLS);
	attroff(A_REVERSE);
	row = draw_workers(4, state, json_object_get(state, "workers"), before, seconds);
	row = draw_workers(row, state, json_object_get(state, "draining"), NULL, 0);
	row = draw_listeners(row, state);
	row = draw_requests(row, state, before, seconds);
	row = draw_metrics(row, json_object_get(state, "metrics"));
	json_array_foreach(json_object_get(state, "events"), i, event)
	{
		if (row + 1 >= LINES - 1)
			break;
		mvaddnstr(++row, 0, json_string_value(json_object_get(event, "text")), COLS);
	}
	mvaddnstr(LINES - 1, 0, "q quits", COLS);
	refresh();
}

int
top_run(struct dialogue *dialogue)
{
	json_t *state = NULL, *before = NULL;
	double asked = 0;
	int result = 0, key = 0;

	if (!isatty(STDOUT_FILENO)) {
		snprintf(dialogue->message, sizeof dialogue->message,
			"top needs a terminal; status prints the same once");
		return 1;
	}
	dialogue->request = "status";
	dialogue->patience = DIALOGUE_STATUS_PATIENCE;
	dialogue->hear = keep_state;
	dialogue->context = &state;
	initscr();
	cbreak();
	noecho();
	curs_set(0);
	timeout(EVERY);
	while (key != 'q' && result == 0) {
		double began = now();

		json_decref(before);
		before = state;
		state = NULL;
		result = dialogue_run(dialogue);
		if (state == NULL)
			break;
		draw(state, before, began - asked);
		asked = began;
		key = getch();
		/* getch returns at once if standard input has ended: wait all the same. */
		if (key == ERR && now() - began < EVERY / 2000.)
			napms(EVERY);
	}
	endwin();
	json_decref(before);
	json_decref(state);
	return result;
}
