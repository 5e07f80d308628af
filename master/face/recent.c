/* Of each histogram that was looked at two former states are kept, which are RECENT_TIME apart or
 * more: lately is the difference to the older one. A process has one master, so they are static. */
#include "master/face/recent.h"

#include <stdbool.h>
#include <stdlib.h>

struct look {
	int64_t time;
	struct buckets buckets;
};

struct record {
	struct recent_key key;
	struct look older, newer;
};

static struct record *records;
static size_t record_count;
static size_t next; /* where the next look probably is: all hubs are looked at in one sequence */

static bool
is_same(const struct recent_key *one, const struct recent_key *other)
{
	return one->metric == other->metric && one->worker == other->worker &&
	       one->hub == other->hub;
}

/* Returns the record of a histogram, which is new if there was none; NULL without memory. */
static struct record *
record_of(const struct recent_key *key, int64_t now, const struct buckets *all)
{
	struct record *longer;

	for (size_t i = 0; i < record_count; i++) {
		size_t at = (next + i) % record_count;

		if (is_same(&records[at].key, key)) {
			next = at + 1;
			return &records[at];
		}
	}
	longer = realloc(records, (record_count + 1) * sizeof *records);
	if (longer == NULL)
		return NULL;
	records = longer;
	records[record_count] = (struct record){*key, {.time = now}, {now, *all}};
	return &records[record_count++];
}

static void
subtract(struct buckets *from, const struct buckets *former)
{
	from->sum -= former->sum;
	for (unsigned i = 0; i < BUCKETS_COUNT; i++)
		from->counts[i] -= former->counts[i];
}

void
recent_look(const struct recent_key *key, int64_t now, const struct buckets *all,
	struct buckets *lately)
{
	struct record *record;

	*lately = *all;
	/* A service without requests needs no records. */
	if (buckets_total(all) == 0)
		return;
	record = record_of(key, now, all);
	if (record == NULL)
		return;
	if (now - record->newer.time >= RECENT_TIME) {
		record->older = record->newer;
		record->newer = (struct look){now, *all};
	}
	subtract(lately, &record->older.buckets);
}

void
recent_forget(void)
{
	free(records);
	records = NULL;
	record_count = next = 0;
}
