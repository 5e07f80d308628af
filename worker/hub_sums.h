/* The sums of all hubs, read in one pass over the segment: for each of 2000 hubs a pass of its own
 * would look at four million rows. */
#ifndef HUBBUB_WORKER_HUB_SUMS_H
#define HUBBUB_WORKER_HUB_SUMS_H

#include <stdbool.h>
#include <stdint.h>

#include "worker/segment.h"

struct hub_sums {
	/* One for each hub of each worker that has ever run, in the order of the segment. Only what
	 * the catalog has is set, beside worker and index. Owned. */
	struct worker_row *rows;
	unsigned count;
	unsigned room;   /* of rows */
	unsigned *slots; /* hash table, [slot_count]: 1 + the number of a row; 0: free. Owned. */
	unsigned slot_count; /* a power of two, above room */
};

/* Makes sums without a hub, with room for so many. Returns 0, or -1 with errno ENOMEM. Freed by
 * hub_sums_fini, which also takes sums that are all zero. */
int hub_sums_init(struct hub_sums *sums, unsigned room);
void hub_sums_fini(struct hub_sums *sums);

/* Reads all hubs anew, as they count at the point that folds (fold_look) names; hubs for which
 * there is no room are left out. */
void hub_sums_read(struct hub_sums *sums, const struct counters *counters, uint32_t folds);

/* The sum of a hub; NULL if there never was such a hub. Valid until the next read. */
const struct worker_row *hub_sums_find(const struct hub_sums *sums, uint32_t worker, uint32_t hub);

#endif
