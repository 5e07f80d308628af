/* The tables of a server's state: its hubs, their requests, its listeners, its service's metrics. A
 * state is the JSON of status, borrowed by the lines. */
#ifndef HUBBUB_CTL_TABLES_H
#define HUBBUB_CTL_TABLES_H

#include "master/ctl/table.h"

/* The lines of a table. */
struct tables_lines {
	struct table_line *each;
	size_t count, room;
};

struct tables_kind {
	struct table table;
	/* Appends the table's lines; none if it would say nothing. before is the state `seconds`
	 * ago, from which rates are computed, or NULL; seconds is 0 for none: then numbers of all
	 * time stand for rates. Without memory, lines are missing. */
	void (*collect)(struct tables_lines *lines, const json_t *state, const json_t *before,
		double seconds);
};

enum { TABLES_HUBS, TABLES_LISTENERS, TABLES_REQUESTS, TABLES_METRICS, TABLES_MAX };

/* In the order in which they are shown. */
extern const struct tables_kind tables[TABLES_MAX];

void tables_free(struct tables_lines *lines);

#endif
