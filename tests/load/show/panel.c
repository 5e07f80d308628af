/* The panel is rewritten in place by moving the cursor up over its rows; panel->rows says how many
 * the cursor stands below. A line that is too wide for the terminal has several rows: it is broken
 * between its parts, which are two or more blanks apart. */
#include "tests/load/show/panel.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/load/show/text.h"
#include "tests/load/show/wrap.h"

#define LINES 4
#define LINE_SIZE 512
#define BAR 30
#define SPARKS 24

#define RED "\033[31m"
#define PLAIN "\033[0m"
#define TO_LINE_END "\033[K"
#define TO_SCREEN_END "\033[J"

void
panel_clear(struct panel *panel)
{
	if (panel->rows == 0)
		return;
	fprintf(stderr, "\033[%uA\r" TO_SCREEN_END, panel->rows);
	fflush(stderr);
	panel->rows = 0;
}

/* Writes as much of a part as there are columns. */
static void
write_part(const char *part, size_t length, unsigned columns)
{
	size_t end = length;

	while (wrap_columns(part, end) > columns)
		end--;
	fwrite(part, 1, end, stderr);
}

/* Writes a line, and returns how many rows it has. A row never fills the terminal's width, where
 * terminals differ. */
static unsigned
write_rows(const char *line, unsigned width, const char *before, const char *after)
{
	unsigned rows = 1, column = 0;

	fputs(before, stderr);
	for (const char *at = line; *at != '\0';) {
		unsigned blanks = (unsigned)strspn(at, " ");
		const char *end = strstr(at + blanks, "  ");
		size_t length = end != NULL ? (size_t)(end - at - blanks) : strlen(at + blanks);
		unsigned columns = wrap_columns(at + blanks, length);

		if (column > 0 && column + blanks + columns >= width) {
			fprintf(stderr, "%s" TO_LINE_END "\n%s", after, before);
			column = 0;
			blanks = 1;
			rows++;
			at += strspn(at, " ");
		} else {
			at += blanks;
		}
		fprintf(stderr, "%*s", (int)blanks, "");
		column += blanks;
		write_part(at, length, width > column ? width - column - 1 : 0);
		column += columns;
		at += length;
	}
	fprintf(stderr, "%s" TO_LINE_END "\n", after);
	return rows;
}

static void
paint(struct panel *panel, char lines[LINES][LINE_SIZE], bool is_alarming, bool has_color)
{
	unsigned width = wrap_width(stderr), rows = 0;

	if (panel->rows > 0)
		fprintf(stderr, "\033[%uA\r", panel->rows);
	for (int i = 0; i < LINES; i++) {
		bool is_red = is_alarming && has_color && i == LINES - 1;

		rows += write_rows(
			lines[i], width > 0 ? width : 80, is_red ? RED : "", is_red ? PLAIN : "");
	}
	/* Parts have become narrower since the last time. */
	if (rows < panel->rows)
		fputs(TO_SCREEN_END, stderr);
	fflush(stderr);
	panel->rows = rows;
}

/* ---- lines ---- */

static void
write_progress(char *line, const struct progress *progress)
{
	char bar[BAR + 1];
	double share = progress->total > 0 ? progress->elapsed / progress->total : 0;
	double left = progress->total - progress->elapsed;
	const struct tally *tally = &progress->whole->tally;
	int full = share < 0 ? 0 : share > 1 ? BAR : (int)(share * BAR);

	memset(bar, '-', BAR);
	memset(bar, '#', (size_t)full);
	bar[BAR] = '\0';
	if (progress->elapsed < 0)
		snprintf(line, LINE_SIZE, " [%s]  warm-up, %.0fs", bar, -progress->elapsed);
	else if (progress->total > 0)
		snprintf(line, LINE_SIZE, " [%s]  %.0f/%.0fs  eta %.0fs", bar, progress->elapsed,
			progress->total, left > 0 ? left : 0);
	else
		snprintf(line, LINE_SIZE, " %llu of %llu messages, %.0fs",
			(unsigned long long)tally->received,
			(unsigned long long)progress->load->count, progress->elapsed);
	snprintf(line + strlen(line), LINE_SIZE - strlen(line), "   %llu/%u conns",
		(unsigned long long)tally->alive, progress->load->connections);
	if (progress->load->idle > 0)
		snprintf(line + strlen(line), LINE_SIZE - strlen(line), " + %llu idle",
			(unsigned long long)tally->idle_opened);
	if (progress->load->repeat > 1)
		snprintf(line + strlen(line), LINE_SIZE - strlen(line), "   run %u/%u",
			progress->run + 1, progress->load->repeat);
}

static void
write_rates(char *line, const struct progress *progress)
{
	const struct measurement *recent = progress->recent;
	double seconds = recent->seconds > 0 ? recent->seconds : 1;
	char offered[UNITS_TEXT_SIZE], achieved[UNITS_TEXT_SIZE], bytes[UNITS_TEXT_SIZE];

	units_write_count(offered, (double)recent->tally.due / seconds);
	units_write_count(achieved, (double)recent->tally.received / seconds);
	units_write_bytes(bytes, (double)recent->tally.bytes_received / seconds);
	if (progress->load->is_open)
		snprintf(line, LINE_SIZE,
			" offered %s/s  achieved %s/s   %s/s each way   in flight %llu", offered,
			achieved, bytes, (unsigned long long)recent->tally.in_flight);
	else
		snprintf(line, LINE_SIZE, " achieved %s/s   %s/s each way   in flight %llu",
			achieved, bytes, (unsigned long long)recent->tally.in_flight);
}

/* Writes a mark for each of the last intervals, as high as its p99. */
static void
write_sparks(const struct panel *panel, char *text, size_t size)
{
	static const char *const blocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
	static const char *const letters[] = {"_", "_", ".", ".", "-", "-", "=", "#"};
	unsigned first = panel->history_count > SPARKS ? panel->history_count - SPARKS : 0;
	int64_t highest = 1;

	*text = '\0';
	for (unsigned i = first; i < panel->history_count; i++)
		if (panel->history[i % PANEL_HISTORY] > highest)
			highest = panel->history[i % PANEL_HISTORY];
	for (unsigned i = first; i < panel->history_count; i++) {
		int64_t value = panel->history[i % PANEL_HISTORY];
		unsigned level = value <= 0 ? 0 : (unsigned)(7 * value / highest);
		size_t used = strlen(text);

		snprintf(text + used, size - used, "%s",
			panel->is_utf8 ? blocks[level] : letters[level]);
	}
}

static void
write_times(char *line, const struct panel *panel, const struct progress *progress)
{
	const struct histogram *response = &progress->recent->response;
	enum units_time unit = progress->load->unit;
	char p50[UNITS_TEXT_SIZE], p90[UNITS_TEXT_SIZE], p99[UNITS_TEXT_SIZE],
		p999[UNITS_TEXT_SIZE], max[UNITS_TEXT_SIZE], sparks[SPARKS * 4 + 1];

	write_sparks(panel, sparks, sizeof sparks);
	snprintf(line, LINE_SIZE, " p50 %s  p90 %s  p99 %s  p99.9 %s  max %s   p99 %s",
		units_write_time(p50, histogram_percentile(response, 0.5), unit),
		units_write_time(p90, histogram_percentile(response, 0.9), unit),
		units_write_time(p99, histogram_percentile(response, 0.99), unit),
		units_write_time(p999, histogram_percentile(response, 0.999), unit),
		units_write_time(max, response->count > 0 ? response->max : -1, unit), sparks);
}

static void
write_health(char *line, const struct progress *progress)
{
	const struct measurement *whole = progress->whole;
	double threads = progress->load->processes * progress->load->threads;
	double cpu = progress->recent->seconds > 0 ? (double)progress->recent->tally.cpu / 1e7 /
							     progress->recent->seconds / threads
						   : 0;
	char lag[UNITS_TEXT_SIZE];

	snprintf(line, LINE_SIZE,
		" errors %llu   wrong %llu   generator lag p99 %s, cpu %.0f%%   %s",
		(unsigned long long)measurement_errors(whole),
		(unsigned long long)measurement_faults(whole),
		units_write_time(lag, histogram_quantile(&progress->recent->lag, 0.99),
			progress->load->unit),
		cpu > 100 ? 100 : cpu, "(Ctrl-C: stop and report)");
}

/* ---- as a watcher ---- */

static void
connecting(const struct progress *progress, void *context)
{
	struct panel *panel = context;
	const struct tally *tally = &progress->whole->tally;

	if (panel->is_live)
		fprintf(stderr, "\r connecting: %llu of %u" TO_LINE_END,
			(unsigned long long)(tally->opened + tally->idle_opened),
			progress->load->connections + progress->load->idle);
	fflush(stderr);
}

static void
started(const struct progress *progress, void *context)
{
	struct panel *panel = context;

	if (panel->is_live)
		fprintf(stderr, "\r" TO_LINE_END);
	if (progress->run == 0 && !panel->is_quiet) {
		text_describe(stderr, progress);
		if (!panel->is_live)
			text_columns(stderr);
	}
	panel->history_count = 0;
}

static void
frame(const struct progress *progress, void *context)
{
	struct panel *panel = context;
	char lines[LINES][LINE_SIZE];
	const struct measurement *whole = progress->whole;

	write_progress(lines[0], progress);
	write_rates(lines[1], progress);
	write_times(lines[2], panel, progress);
	write_health(lines[3], progress);
	paint(panel, lines, measurement_errors(whole) + measurement_faults(whole) > 0,
		text_has_color(progress->load, stderr));
}

static void
interval(const struct interval *interval, const struct progress *progress, void *context)
{
	struct panel *panel = context;

	panel->history[panel->history_count++ % PANEL_HISTORY] = interval->summary.p99;
	if (panel->is_live)
		return;
	text_interval(stderr, progress->load, interval);
	fflush(stderr);
}

static bool
speaks_utf8(void)
{
	static const char *const variables[] = {"LC_ALL", "LC_CTYPE", "LANG"};

	for (int i = 0; i < 3; i++) {
		const char *value = getenv(variables[i]);

		if (value != NULL && *value != '\0')
			return strstr(value, "UTF-8") != NULL || strstr(value, "utf8") != NULL;
	}
	return false;
}

struct watcher
panel_watcher(struct panel *panel, const struct load *load)
{
	const char *terminal = getenv("TERM");
	struct watcher watcher = {.context = panel};

	*panel = (struct panel){.is_quiet = load->is_quiet, .is_utf8 = speaks_utf8()};
	if (load->is_quiet)
		return watcher;
	panel->is_live = !load->is_plain && isatty(STDERR_FILENO) && terminal != NULL &&
			 strcmp(terminal, "dumb") != 0;
	watcher.connecting = connecting;
	watcher.started = started;
	watcher.interval = interval;
	if (panel->is_live)
		watcher.frame = frame;
	return watcher;
}
