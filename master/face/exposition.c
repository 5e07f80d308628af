/* Each line is put together in memory, from texts that are the same for all lines of a hub or of a
 * metric and from digits, and written in one piece. */
#include "master/face/exposition.h"

#include <string.h>

#define DIGITS_MAX 20 /* of a count */
#define VALUE_SIZE 32
#define LINE_SIZE 256
/* Whole numbers below this are written by "%.15g" with all their digits. */
#define WHOLE_END 1e15

void
exposition_introduce(
	FILE *stream, const char *prefix, const char *name, const char *type, const char *help)
{
	fprintf(stream, "# HELP %s%s %s\n# TYPE %s%s %s\n", prefix, name, help, prefix, name, type);
}

const char *
exposition_type(const struct catalog_entry *metric)
{
	static const char *const types[] = {[CATALOG_COUNTER] = "counter",
		[CATALOG_PEAK] = "gauge",
		[CATALOG_GAUGE] = "gauge",
		[CATALOG_HISTOGRAM] = "histogram"};

	return types[metric->kind];
}

void
exposition_label(char labels[static EXPOSITION_LABELS_SIZE], unsigned worker, unsigned hub)
{
	snprintf(labels, EXPOSITION_LABELS_SIZE, "{worker=\"%u\",hub=\"%u\"", worker, hub);
}

/* Appends to the line, which has room. Both return where it ends now. */
static char *
put_count(char *end, uint64_t count)
{
	char digits[DIGITS_MAX], *first = digits + sizeof digits;

	do
		*--first = (char)('0' + count % 10);
	while ((count /= 10) != 0);
	return mempcpy(end, first, (size_t)(digits + sizeof digits - first));
}

static char *
put_value(char *end, double value)
{
	if (value >= 0 && value < WHOLE_END && value == (double)(uint64_t)value)
		return put_count(end, (uint64_t)value);
	return end + snprintf(end, VALUE_SIZE, "%.15g", value);
}

static void
write_line(FILE *stream, const char *line, char *end)
{
	*end++ = '\n';
	fwrite(line, 1, (size_t)(end - line), stream);
}

/* ---- lines of hubs ---- */

void
exposition_value(FILE *stream, const char *name, const char *labels, const char *kind, double value)
{
	char line[LINE_SIZE], *end = stpcpy(stpcpy(line, name), labels);

	if (kind != NULL)
		end = stpcpy(stpcpy(stpcpy(end, ",kind=\""), kind), "\"");
	write_line(stream, line, put_value(stpcpy(end, "} "), value));
}

void
exposition_bound(struct exposition_bounds *bounds, const struct catalog_entry *metric)
{
	uint64_t bound = metric->unit == 1 ? 1 : UINT64_C(1) << 10;
	uint64_t last = UINT64_C(1) << (metric->unit == 1 ? 30 : 36);

	*bounds = (struct exposition_bounds){.unit = (double)metric->unit};
	for (unsigned i = 0; i < BUCKETS_COUNT && bound <= last; i++) {
		struct exposition_bound *next = &bounds->list[bounds->count];

		if (buckets_bound(i) != bound)
			continue;
		next->bucket = i;
		snprintf(next->text, sizeof next->text, "%.15g\"} ", (double)bound / bounds->unit);
		bounds->count++;
		bound *= 2;
	}
}

void
exposition_histogram(FILE *stream, const char *name, const char *labels,
	const struct exposition_bounds *bounds, const struct buckets *buckets)
{
	char line[LINE_SIZE], *end = stpcpy(line, name);
	char *behind = stpcpy(stpcpy(stpcpy(end, "_bucket"), labels), ",le=\"");
	unsigned bucket = 0;
	uint64_t count = 0;

	for (unsigned i = 0; i < bounds->count; i++) {
		for (; bucket <= bounds->list[i].bucket; bucket++)
			count += buckets->counts[bucket];
		write_line(stream, line, put_count(stpcpy(behind, bounds->list[i].text), count));
	}
	for (; bucket < BUCKETS_COUNT; bucket++)
		count += buckets->counts[bucket];
	write_line(stream, line, put_count(stpcpy(behind, "+Inf\"} "), count));
	behind = stpcpy(stpcpy(stpcpy(end, "_sum"), labels), "} ");
	write_line(stream, line, put_value(behind, (double)buckets->sum / bounds->unit));
	behind = stpcpy(stpcpy(stpcpy(end, "_count"), labels), "} ");
	write_line(stream, line, put_count(behind, count));
}
