/* hubbub-ctl trace: has a server's hubs record for a while, reads meanwhile, and writes a file. */
#ifndef HUBBUB_CTL_TRACE_H
#define HUBBUB_CTL_TRACE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "master/ctl/dialogue.h"

/* Bytes of a trace file, unless --limit says otherwise. */
#define TRACE_LIMIT (UINT64_C(256) << 20)

struct trace {
	const char *seconds; /* as given; "" for those that are recorded already, or else for one */
	const char *path;    /* of the file, "-" for standard output; NULL: trace-PID.json */
	uint64_t limit;      /* bytes of the file */
	bool is_summed_up;   /* a summary is printed; there is a file only if it has a path */
	char message[DIALOGUE_MESSAGE_SIZE]; /* the last line, or the error */
};

/* Runs; dialogue names the server. SIGINT ends the recording early, and what there is is written.
 * Blocks. Returns the exit code, with the message set. */
int trace_run(struct trace *trace, struct dialogue *dialogue);

#endif
