/* Moving bytes between file descriptors in the kernel. SPLICE_F_NONBLOCK is about pipes alone: of
 * sockets and terminals poll(2) is asked first, and calls that move a file's bytes are made by
 * another thread. */
#include <errno.h>
#include <fcntl.h>
#include <hubbub/io/fd.h>
#include <unistd.h>

#include "hub/base/kernel.h"
#include "hub/io/traffic.h"
#include "hub/patch/generation_priv.h"
#include "hub/patch/patch_priv.h"
#include "hub/patch/transfer_priv.h"

/* So many bytes go out without waiting where poll(2) calls the fd writable. */
#define PIECE 4096

#define KNOWN_FLAGS (SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE | SPLICE_F_GIFT)

/* A splice(2), or a copy_file_range(2). */
struct move {
	int in, out;
	off_t *in_offset, *out_offset;
	size_t length;
	unsigned flags;
	uint32_t generations[2]; /* of in and out, when another thread is given the call */
	ssize_t result;
	int error;
	bool is_copy; /* copy_file_range */
};

static void *
move_there(void *argument)
{
	struct move *move = argument;

	move->result = -1;
	errno = EBADF;
	if (generation_of(move->in) == move->generations[0] &&
		generation_of(move->out) == move->generations[1])
		move->result = move->is_copy
				       ? REAL(copy_file_range)(move->in, move->in_offset, move->out,
						 move->out_offset, move->length, move->flags)
				       : REAL(splice)(move->in, move->in_offset, move->out,
						 move->out_offset, move->length, move->flags);
	move->error = errno;
	return NULL;
}

static ssize_t
move_elsewhere(struct move *move)
{
	move->generations[0] = generation_of(move->in);
	move->generations[1] = generation_of(move->out);
	if (patch_offload(move_there, move) != 0)
		return -1;
	errno = move->error;
	return move->result;
}

/* Whether poll(2) reports any of these events, a hang-up or an error. */
static bool
is_ready(int fd, short events)
{
	struct pollfd query = {.fd = fd, .events = events};

	return kernel_poll_now(&query, 1) != 0;
}

static bool
is_pipe(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode);
}

/* What bytes are moved from, or to. */
struct end {
	struct patience patience;
	bool is_pipe;
	bool is_file; /* always ready */
	bool waits;   /* for it to be ready; if not, the call fails with EAGAIN */
};

static bool
is_end_ready(const struct end *end)
{
	return end->is_file || is_ready(end->patience.fd, end->patience.events);
}

/* After EAGAIN: waits for the end that is not ready; as the kernel does, for a pipe first. Returns
 * whether to try again; false with errno, EBADF if either fd was closed meanwhile. */
static bool
wait_for_either(struct end *from, struct end *to)
{
	struct end *first = from->is_pipe ? from : to, *second = from->is_pipe ? to : from;
	struct end *end = !is_end_ready(first) || second->is_file ? first : second;
	uint32_t in = generation_of(from->patience.fd), out = generation_of(to->patience.fd);

	errno = EAGAIN;
	if (!end->waits || !patience_wait(&end->patience, 0))
		return false;
	errno = EBADF;
	return generation_of(from->patience.fd) == in && generation_of(to->patience.fd) == out;
}

static bool
is_seekable(int fd)
{
	return lseek(fd, 0, SEEK_CUR) != -1;
}

/* Whether the kernel refuses the call, no matter whether there are bytes to move and room for
 * them. */
static bool
is_refused(const struct move *move)
{
	int in_mode = kernel_fcntl(move->in, F_GETFL, 0) & O_ACCMODE;
	int out_flags = kernel_fcntl(move->out, F_GETFL, 0), out_mode = out_flags & O_ACCMODE;
	struct stat in, out;

	/* F_GETFL of a closed fd is -1, which is neither mode. */
	if ((in_mode != O_RDONLY && in_mode != O_RDWR) ||
		(out_mode != O_WRONLY && out_mode != O_RDWR) || fstat(move->in, &in) != 0 ||
		fstat(move->out, &out) != 0)
		return true;
	if (S_ISFIFO(in.st_mode) && S_ISFIFO(out.st_mode) && in.st_dev == out.st_dev &&
		in.st_ino == out.st_ino)
		return true;
	return !(S_ISFIFO(in.st_mode) || S_ISFIFO(out.st_mode)) ||
	       (move->in_offset != NULL && !is_seekable(move->in)) ||
	       (move->out_offset != NULL && !is_seekable(move->out)) ||
	       (!S_ISFIFO(out.st_mode) && (out_flags & O_APPEND));
}

/* Finds what each end is, and whether the call waits for it. A pipe is not waited for if the call's
 * flags or either pipe say so, and a Unix socket that is read from goes by the same; every other fd
 * goes by its own flag alone. */
static void
make_ends(struct end *from, struct end *to, unsigned flags)
{
	int in = from->patience.fd, out = to->patience.fd;
	bool in_waits = !descriptor_is_nonblocking(in), out_waits = !descriptor_is_nonblocking(out);
	bool pipes_wait;

	from->is_pipe = is_pipe(in);
	to->is_pipe = is_pipe(out);
	from->is_file = descriptor_is_file(in);
	to->is_file = descriptor_is_file(out);
	pipes_wait = !(flags & SPLICE_F_NONBLOCK) && (!from->is_pipe || in_waits) &&
		     (!to->is_pipe || out_waits);
	from->waits = in_waits && (pipes_wait || !(from->is_pipe || descriptor_is_local(in)));
	to->waits = out_waits && (pipes_wait || !to->is_pipe);
}

static ssize_t
move_now(struct move *move, bool is_elsewhere)
{
	return is_elsewhere ? move_elsewhere(move)
			    : REAL(splice)(move->in, move->in_offset, move->out, move->out_offset,
				      move->length, move->flags);
}

ssize_t
patch_splice(int in, off_t *in_offset, int out, off_t *out_offset, size_t length, unsigned flags)
{
	struct move move = {.in = in,
		.out = out,
		.in_offset = in_offset,
		.out_offset = out_offset,
		.length = length,
		.flags = flags | SPLICE_F_NONBLOCK};
	struct end from = {.patience = {.fd = in, .events = POLLIN}},
		   to = {.patience = {.fd = out, .events = POLLOUT}};
	bool is_sent = descriptor_is_stream(out);
	ssize_t result;

	if (length == 0 || (flags & ~KNOWN_FLAGS) != 0 || is_refused(&move))
		return REAL(splice)(in, in_offset, out, out_offset, length, flags);
	make_ends(&from, &to, flags);
	/* A stream that is ready takes a PIECE without waiting; splice(2) may move less than was
	 * asked for. */
	if (is_sent && to.waits && length > PIECE)
		move.length = PIECE;
	do {
		result = -1;
		errno = EAGAIN;
		if (is_end_ready(&from) && is_end_ready(&to))
			result = move_now(&move, from.is_file || to.is_file);
	} while (result == -1 && errno == EAGAIN && wait_for_either(&from, &to));
	if (result > 0 && is_sent)
		traffic_sent(out, (size_t)result);
	if (result > 0 && descriptor_is_stream(in))
		traffic_received(in, (size_t)result);
	return result;
}

ssize_t
patch_tee(int in, int out, size_t length, unsigned flags)
{
	struct end from = {.patience = {.fd = in, .events = POLLIN}},
		   to = {.patience = {.fd = out, .events = POLLOUT}};
	ssize_t result = REAL(tee)(in, out, length, flags | SPLICE_F_NONBLOCK);

	if (result != -1 || errno != EAGAIN)
		return result;
	make_ends(&from, &to, flags);
	while (wait_for_either(&from, &to) &&
		(result = REAL(tee)(in, out, length, flags | SPLICE_F_NONBLOCK)) == -1 &&
		errno == EAGAIN)
		continue;
	return result;
}

/* Into a pipe, or out of it: the access mode of fd tells which. */
ssize_t
patch_vmsplice(int fd, const struct iovec *parts, size_t count, unsigned flags)
{
	bool is_writing = (kernel_fcntl(fd, F_GETFL, 0) & O_ACCMODE) != O_RDONLY;
	struct patience patience = {.fd = fd, .events = is_writing ? POLLOUT : POLLIN};
	ssize_t result;

	while ((result = REAL(vmsplice)(fd, parts, count, flags | SPLICE_F_NONBLOCK)) == -1 &&
		errno == EAGAIN && !(flags & SPLICE_F_NONBLOCK) && patience_wait(&patience, 0))
		continue;
	return result;
}

ssize_t
patch_copy_file_range(
	int in, off_t *in_offset, int out, off_t *out_offset, size_t length, unsigned flags)
{
	struct move move = {.in = in,
		.out = out,
		.in_offset = in_offset,
		.out_offset = out_offset,
		.length = length,
		.flags = flags,
		.is_copy = true};

	return move_elsewhere(&move);
}
