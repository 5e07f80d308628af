/* Moving bytes between descriptors in the kernel. SPLICE_F_NONBLOCK is about pipes alone: of what
 * else there is, poll(2) tells beforehand, and files are another thread's. */
#include <errno.h>
#include <fcntl.h>
#include <hubbub/io/fd.h>

#include "hub/base/kernel.h"
#include "hub/patch/patch_priv.h"
#include "hub/patch/transfer_priv.h"

/* So much goes out without waiting where poll(2) says that something does. */
#define PIECE 4096

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
	if (descriptor_generation(move->in) == move->generations[0] &&
		descriptor_generation(move->out) == move->generations[1])
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
	move->generations[0] = descriptor_generation(move->in);
	move->generations[1] = descriptor_generation(move->out);
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

static bool
is_pipe(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode);
}

/* Whichever of the two is not ready. */
static bool
wait_for_either(struct patience *from, struct patience *to)
{
	if (from->fd != -1 && !is_ready(from->fd, POLLIN))
		return patience_wait(from, 0);
	return to->fd == -1 || patience_wait(to, 0);
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
	bool has_file = descriptor_is_file(in) || descriptor_is_file(out);
	bool is_sent = descriptor_is_stream(out);
	ssize_t result;

	/* What cannot be spliced is the kernel's to tell of. */
	if (length == 0 || !(is_pipe(in) || is_pipe(out)) || (flags & SPLICE_F_NONBLOCK) ||
		descriptor_is_nonblocking(in) || descriptor_is_nonblocking(out))
		return REAL(splice)(in, in_offset, out, out_offset, length, flags);
	move.length = is_sent && length > PIECE ? PIECE : length;
	if (descriptor_is_file(in))
		from.fd = -1;
	if (descriptor_is_file(out))
		to.fd = -1;
	do {
		result = -1;
		errno = EAGAIN;
		if ((from.fd == -1 || is_ready(in, POLLIN)) &&
			(to.fd == -1 || is_ready(out, POLLOUT)))
			result = has_file ? move_elsewhere(&move)
					  : REAL(splice)(in, in_offset, out, out_offset,
						    move.length, move.flags);
	} while (result == -1 && errno == EAGAIN && wait_for_either(&from, &to));
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
		errno == EAGAIN && !(flags & SPLICE_F_NONBLOCK) && wait_for_either(&from, &to))
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
