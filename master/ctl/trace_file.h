/* Records of hubs as trace-event JSON, which ui.perfetto.dev and chrome://tracing open: a process
 * for each worker, a track for each hub, on it a slice for each time that a coroutine runs or the
 * hub polls, a flow from each wake to the run that it leads to, and counters. */
#ifndef HUBBUB_CTL_TRACE_FILE_H
#define HUBBUB_CTL_TRACE_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "master/ctl/tracks.h"

struct trace_file {
	FILE *stream;
	uint64_t limit; /* bytes of the file, at least; a little more may be written */
	int64_t end;    /* clock: slices that have not ended do then */
	uint64_t bytes; /* written; set by trace_file_write, like the rest */
	uint64_t events;
	uint64_t flows;
	int64_t first, last; /* clocks of what the records tell; 0: nothing */
	bool is_cut;         /* events were left because of the limit */
};

/* Writes all tracks, and flushes. Returns 0, or -1 with errno. */
int trace_file_write(struct trace_file *file, const struct tracks *tracks);

#endif
