#include "tests/sim/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <hubbub/hub.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/sim/worlds.h"

#define PIECE 3000

struct line lines[LINES];

/* Whether descriptors were closed behind the hub's back, and it was not told anything of them
 * since. */
enum { NUMBERS = 1024 };
static bool is_stale[NUMBERS];

/* A near end that lives on under another number, which the hub does not know, and its far end. */
static struct {
	int near, far;
} former = {-1, -1};

static int64_t
since(bool is_so, int64_t before)
{
	if (!is_so)
		return HUB_FOREVER;
	return before == HUB_FOREVER ? hub_now() : before;
}

/* Looks anew at what the line is ready for. */
static void
note(struct line *line)
{
	bool is_open = line->near != -1, has_hung_up = is_open && line->far == -1;
	bool has_input = line->bytes > 0 || line->has_ended || line->is_ended_by_hub;

	line->readable_since = since(is_open && has_input, line->readable_since);
	line->writable_since = since(
		(is_open && !line->is_pipe && !line->is_full) || has_hung_up, line->writable_since);
	line->hung_up_since = since(has_hung_up, line->hung_up_since);
}

int64_t
line_ready_since(const struct line *line, short events)
{
	int64_t in = events & POLLIN ? line->readable_since : HUB_FOREVER;
	int64_t out = events & POLLOUT ? line->writable_since : HUB_FOREVER;

	if (events == 0)
		return line->hung_up_since;
	return in < out ? in : out;
}

void
line_received(struct line *line, const unsigned char *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (bytes[i] != line->letter)
			wrong("descriptor %d: received a byte of another file", line->near);
	if (count > line->bytes)
		wrong("descriptor %d: received more than was sent", line->near);
	line->bytes -= count;
	note(line);
}

/* ---- begin and end ---- */

/* Tells the hub of the near end, or leaves it to find out. */
static void
tell(struct line *line)
{
	line->is_known = once_in(2) && hub_adopt(line->near) == 0;
	if (line->is_known)
		is_stale[line->near] = false;
	line->is_doubtful = is_stale[line->near];
}

/* Makes the two ends, whatever the line has been; in trouble there may be none. */
static void
open_line(struct line *line)
{
	int pair[2];

	line->is_pipe = once_in(3);
	if (line->is_pipe ? pipe2(pair, O_NONBLOCK)
			  : socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair))
		return;
	line->near = pair[0];
	line->far = pair[1];
	line->letter++;
	line->bytes = 0;
	line->has_ended = line->is_ended_by_hub = line->is_full = false;
	tell(line);
	note(line);
}

static void
close_far(struct line *line)
{
	if (line->far != -1)
		close(line->far);
	line->far = -1;
	line->has_ended = true;
	note(line);
}

/* The near end is another file's from now on, or nobody's. */
static void
leave(struct line *line, bool is_behind)
{
	is_stale[line->near] = is_behind;
	line->near = -1;
	line->opening++;
	line->readable_since = line->writable_since = line->hung_up_since = HUB_FOREVER;
}

static void
close_former(void)
{
	if (former.near == -1)
		return;
	close(former.near);
	close(former.far);
	former.near = former.far = -1;
}

/* Closes the number of the near end, and keeps the file. Returns false if it cannot. */
static bool
move_away(struct line *line)
{
	close_former();
	former.near = dup(line->near);
	if (former.near == -1)
		return false;
	former.far = line->far;
	line->far = -1;
	close(line->near);
	return true;
}

static void
close_line(struct line *line)
{
	bool is_behind = false;

	if (line->near == -1)
		return;
	if (once_in(2)) {
		hub_close(line->near);
	} else {
		if (!once_in(2) || !move_away(line))
			close(line->near);
		/* Whoever waits to receive might go on with the number's next file. */
		is_behind = line->receiving == 0 && once_in(2);
		if (!is_behind)
			hub_closed(line->near);
	}
	close_far(line);
	leave(line, is_behind);
}

void
lines_open(void)
{
	memset(is_stale, 0, sizeof is_stale);
	for (int i = 0; i < LINES; i++) {
		lines[i] = (struct line){.near = -1,
			.far = -1,
			.letter = (unsigned char)(50 * i),
			.readable_since = HUB_FOREVER,
			.writable_since = HUB_FOREVER,
			.hung_up_since = HUB_FOREVER};
		open_line(&lines[i]);
	}
}

void
lines_end(void)
{
	for (int i = 0; i < LINES; i++)
		close_far(&lines[i]);
}

void
lines_close(void)
{
	for (int i = 0; i < LINES; i++)
		close_line(&lines[i]);
	close_former();
}

/* ---- changes ---- */

static void
far_sends(struct line *line)
{
	unsigned char bytes[PIECE];
	ssize_t sent;

	if (former.far != -1 && once_in(3))
		(void)!write(former.far, "former", 6);
	if (line->has_ended)
		return;
	memset(bytes, line->letter, sizeof bytes);
	sent = write(line->far, bytes, 1 + below(once_in(4) ? PIECE : 4));
	if (sent > 0)
		line->bytes += (size_t)sent;
	note(line);
}

static void
far_ends(struct line *line)
{
	if (line->is_pipe || once_in(2)) {
		close_far(line);
	} else if (line->far != -1 && shutdown(line->far, SHUT_WR) == 0) {
		line->has_ended = true;
		note(line);
	}
}

/* The input of a descriptor that the hub does not know is not ended. */
static void
hub_ends(struct line *line)
{
	if (line->near == -1 || !line->is_known || line->is_doubtful)
		return;
	hub_end_input(line->near);
	line->is_ended_by_hub = true;
	note(line);
}

/* The near end sends until nothing is taken any more, or the far end receives all that. In trouble
 * a call may refuse though there is room. */
static void
fill_or_drain(struct line *line)
{
	static char bytes[64 * 1024];

	if (line->is_pipe || line->near == -1 || line->far == -1 || in_trouble())
		return;
	if (line->is_full) {
		while (read(line->far, bytes, sizeof bytes) > 0)
			continue;
		line->is_full = false;
	} else {
		while (send(line->near, bytes, sizeof bytes, MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
			continue;
		line->is_full = true;
	}
	note(line);
}

/* The hub forgets the near end, and what it knew of it. */
static void
release(struct line *line)
{
	if (line->near == -1)
		return;
	hub_release(line->near);
	is_stale[line->near] = false;
	tell(line);
	line->opening++;
	line->is_ended_by_hub = false;
	line->readable_since = line->writable_since = line->hung_up_since = HUB_FOREVER;
	note(line);
}

static void
reopen(struct line *line)
{
	close_line(line);
	open_line(line);
}

void
line_change(struct line *line)
{
	static void (*const changes[])(struct line * line) = {far_sends, far_sends, far_sends,
		far_sends, far_ends, hub_ends, fill_or_drain, fill_or_drain, release, reopen,
		reopen};

	changes[below(sizeof changes / sizeof *changes)](line);
}
