/* Lines: pairs of connected sockets, or pipes, and what is known of them without asking the hub.
 * The near end is the hub's, and may be closed, released and made anew at any time, in each of the
 * ways in which programs do so; the far end is written, read and closed by libc's calls. */
#ifndef HUBBUB_TESTS_SIM_LINES_H
#define HUBBUB_TESTS_SIM_LINES_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LINES = 5 };

struct line {
	int near, far; /* -1: closed */
	bool is_pipe;  /* which is only read */
	/* A former file of the near end's number was closed behind the hub's back, and the hub was
	 * told nothing since. */
	bool is_doubtful;
	/* Counts the stays of a file as the near end that the hub was told of. */
	unsigned opening;
	unsigned char letter; /* each byte that is sent by the far end */
	size_t bytes;         /* sent by the far end, and not received */
	bool has_ended;       /* the far end sends no more */
	bool is_known;        /* the hub has been told of the near end, by any call */
	bool is_ended_by_hub; /* hub_end_input */
	unsigned receiving;   /* coroutines in a call that receives */
	bool is_full;         /* the near end takes no more bytes */
	int64_t readable_since, writable_since, hung_up_since; /* HUB_FOREVER: it is not */
};

extern struct line lines[LINES];

void lines_open(void);
void lines_close(void);

/* Whether the near end is ready for these of POLLIN and POLLOUT, since when; with none of them,
 * whether the far end has hung up. HUB_FOREVER: it is not. */
int64_t line_ready_since(const struct line *line, short events);

/* So many bytes have been received at the near end. */
void line_received(struct line *line, const unsigned char *bytes, size_t count);

/* Something happens to a line. */
void line_change(struct line *line);

/* All lines end: whoever waits to receive, or to send, has something to wait for no more. */
void lines_end(void);

#endif
