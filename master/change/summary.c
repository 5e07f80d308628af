/* The refusals are static, because they outlive the change, and a process has one master. Texts may
 * come from outside (addresses, options), so the line is made printable as a whole. */
#include "master/change/summary.h"

#include <stdio.h>
#include <string.h>

#include "hub/base/log.h"
#include "master/base/printable.h"
#include "worker/catalog.h"

#define REFUSED "refused_total" /* the metric of refused connections, by kind */
#define NAMED_MOST 2            /* addresses in the line */

/* "reload refused: ...", or "". A text that is too long is cut beyond the part that the line has
 * room for, so no half character is shown. */
static char refusal[SUMMARY_SIZE];
/* Refused connections at the last look. */
static uint64_t seen[COUNTED_MAX];
static bool has_seen;
static const char *last_kind; /* of which the count grew last; NULL if none has grown */

void
summary_refused(const char *what, const char *why)
{
	snprintf(refusal, sizeof refusal, "%s refused: %s", what, why);
}

void
summary_accepted(void)
{
	refusal[0] = '\0';
}

/* Returns how many connections were refused in all, and notes the kind whose count has grown. */
static uint64_t
count_refused(const struct worker_row *total)
{
	uint64_t count = 0;

	for (unsigned i = 0; i < COUNTED_MAX; i++) {
		uint64_t now;

		if (strcmp(catalog[i].metric, REFUSED) != 0)
			continue;
		now = catalog_count(total, i);
		/* The first look has nothing to compare with: a former master may have counted
		 * before. */
		if (has_seen && now > seen[i])
			last_kind = catalog[i].label;
		seen[i] = now;
		count += now;
	}
	has_seen = true;
	return count;
}

/* Writes the first addresses, and how many more there are. Returns the length. */
static size_t
write_addresses(const struct sockets *sockets, char *text, size_t size)
{
	char address[ADDRESS_LISTENED_SIZE];
	size_t length = 0;

	for (unsigned i = 0; i < sockets->address_count && i < NAMED_MOST; i++) {
		address_format_listened(&sockets->addresses[i], address);
		length += (size_t)snprintf(
			text + length, size - length, "%s%s", i > 0 ? ", " : "", address);
	}
	if (sockets->address_count > NAMED_MOST)
		length += (size_t)snprintf(text + length, size - length, " and %u more",
			sockets->address_count - NAMED_MOST);
	return length;
}

void
summary_write(const struct master *master, char text[static SUMMARY_SIZE])
{
	const struct fleet_config *config = &master->fleet.serving->config;
	struct worker_row total = counters_total(master->counters);
	uint64_t open = counters_open(&total), refused = count_refused(&total);
	char line[2 * SUMMARY_SIZE] = "serving ";
	size_t length = strlen(line);

	length += write_addresses(&master->sockets, line + length, sizeof line - length);
	length += (size_t)snprintf(line + length, sizeof line - length,
		", %u process%s x %u thread%s, %lu connection%s", config->processes,
		log_plural(config->processes, "es"), config->threads,
		log_plural(config->threads, "s"), (unsigned long)open, log_plural(open, "s"));
	if (refused > 0)
		length += (size_t)snprintf(line + length, sizeof line - length, ", %lu refused",
			(unsigned long)refused);
	if (refused > 0 && last_kind != NULL)
		length += (size_t)snprintf(
			line + length, sizeof line - length, " (the last: %s)", last_kind);
	if (refusal[0] != '\0')
		snprintf(line + length, sizeof line - length, "; %s", refusal);
	printable_line(line, text, SUMMARY_SIZE);
}
