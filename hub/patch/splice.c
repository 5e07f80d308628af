/* Moving bytes between descriptors in the kernel. SPLICE_F_NONBLOCK is about pipes alone: of what
 * else there is, poll(2) tells beforehand, and files are another thread's. */
#include <errno.h>
#include <fcntl.h>
#include <hubbub/io/fd.h>

#include "hub/base/kernel.h"
#include "hub/patch/generation_priv.h"
#include "hub/patch/patch_priv.h"
#include "hub/patch/transfer_priv.h"

/* So much goes out without waiting where poll(2) says that something does. */
#define PIECE 4096

#define KNOWN_FLAGS (SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE | SPLICE_F_GIFT)

struct move {
	int in, out;
	off_t *in_offset, *out_offset;
	size_t length;
	unsigned flags;
	uint32_t generations[2];
	ssize_t result;
	int error;
	bool is_copy;
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

/* Of a socket: a receiving pipe takes nothing as long as it has nothing. */
static bool
is_ready(int fd, short events)
{
	struct pollfd query = {.fd = fd, .events = events};

	return kernel_poll_now(&query, 1) != 0;
}

/* What one of the two is. */
struct side {
	int mode; /* -1 for what is not open */
	bool is_pipe, is_file;
	dev_t device;
	ino_t node;
};

static struct side
side_of(int fd)
{
	struct side side = {.mode = kernel_fcntl(fd, F_GETFL, 0)};
	struct stat status;

	if (side.mode == -1 || fstat(fd, &status) != 0)
		return (struct side){.mode = -1};
	side.mode &= O_ACCMODE;
	side.is_pipe = S_ISFIFO(status.st_mode);
	side.is_file = S_ISREG(status.st_mode) || S_ISBLK(status.st_mode);
	side.device = status.st_dev;
	side.node = status.st_ino;
	return side;
}

/* What the kernel looks at before it waits. */
static bool
is_wrong(const struct move *move, const struct side *in, const struct side *out)
{
	return in->mode == -1 || out->mode == -1 || in->mode == O_WRONLY || out->mode == O_RDONLY ||
	       !(in->is_pipe || out->is_pipe) || (move->in_offset != NULL && !in->is_file) ||
	       (move->out_offset != NULL && !out->is_file) || (move->flags & ~KNOWN_FLAGS) ||
	       (in->is_pipe && out->is_pipe && in->node == out->node && in->device == out->device);
}

/* Waits for whichever of the two is not ready; meanwhile the other's number may be closed, and mean
 * another. */
static bool
wait_for_either(struct patience *from, struct patience *to, int in, int out)
{
	uint32_t of_in = generation_of(in), of_out = generation_of(out);

	if (from->fd != -1 && !is_ready(from->fd, POLLIN)) {
		if (!patience_wait(from, 0))
			return false;
	} else if (to->fd != -1 && !patience_wait(to, 0)) {
		return false;
	}
	errno = EBADF;
	return generation_of(in) == of_in && generation_of(out) == of_out;
}

static bool
is_either_nonblocking(int in, int out)
{
	return descriptor_is_nonblocking(in) || descriptor_is_nonblocking(out);
}

ssize_t
patch_splice(int in, off_t *in_offset, int out, off_t *out_offset, size_t length, unsigned flags)
{
	struct move move = {.in = in,
		.out = out,
		.in_offset = in_offset,
		.out_offset = out_offset,
		.flags = flags | SPLICE_F_NONBLOCK};
	struct patience from = {.fd = in, .events = POLLIN}, to = {.fd = out, .events = POLLOUT};
	const struct side source = side_of(in), target = side_of(out);
	bool is_sent = descriptor_is_stream(out), has_file = source.is_file || target.is_file;
	ssize_t result;

	/* What cannot be spliced is the kernel's to tell of. */
	if (length == 0 || (flags & SPLICE_F_NONBLOCK) || is_wrong(&move, &source, &target))
		return REAL(splice)(in, in_offset, out, out_offset, length, flags);
	/* Of two pipes one that does not wait speaks for both. */
	if (source.is_pipe && target.is_pipe && is_either_nonblocking(in, out))
		return REAL(splice)(in, in_offset, out, out_offset, length, move.flags);
	move.length = is_sent && length > PIECE && !descriptor_is_nonblocking(out) ? PIECE : length;
	if (source.is_file)
		from.fd = -1;
	if (target.is_file)
		to.fd = -1;
	do {
		result = -1;
		errno = EAGAIN;
		if ((from.fd == -1 || is_ready(in, POLLIN)) &&
			(to.fd == -1 || is_ready(out, POLLOUT)))
			result = has_file ? move_elsewhere(&move)
					  : REAL(splice)(in, in_offset, out, out_offset,
						    move.length, move.flags);
	} while (result == -1 && errno == EAGAIN && wait_for_either(&from, &to, in, out));
	if (result > 0 && is_sent)
		hub_note_sent(out);
	return result;
}

ssize_t
patch_tee(int in, int out, size_t length, unsigned flags)
{
	struct patience from = {.fd = in, .events = POLLIN}, to = {.fd = out, .events = POLLOUT};
	ssize_t result;

	while ((result = REAL(tee)(in, out, length, flags | SPLICE_F_NONBLOCK)) == -1 &&
		errno == EAGAIN && !(flags & SPLICE_F_NONBLOCK) &&
		!is_either_nonblocking(in, out) && wait_for_either(&from, &to, in, out))
		continue;
	return result;
}

/* Into a pipe, or out of one: which it is, its flags tell. */
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
