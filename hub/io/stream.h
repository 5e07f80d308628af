/* Streams: a buffered reader and writer over a descriptor (a socket, with or without TLS, a pipe, a
 * file) or over memory. What most protocols begin with: lines, frames, replies in one send.
 *
 *	static void serve(int client, void *context)
 *	{
 *		struct hub_stream *stream = hub_stream_new(client, NULL);
 *		char *line;
 *
 *		if (stream == NULL)
 *			return;
 *		while ((line = hub_stream_read_line(stream, NULL)) != NULL)
 *			hub_stream_printf(stream, "you said %s\n", line);
 *		hub_stream_close(stream);
 *	}
 *
 * - Reading functions return a view: bytes in the stream's buffer, followed by a NUL. It is valid
 *   until the next call that reads from this stream, and may be written to.
 * - NULL with errno 0 is the end of the input. If that comes in the middle of a line or a frame,
 *   errno is EBADMSG, and what has come can still be read by hub_stream_read_some.
 * - A call that fails has consumed nothing: after a timeout, or once a shield protects a killed
 *   coroutine, the next call goes on with the bytes that have come.
 * - What is longer than the stream's limit is EMSGSIZE; hub_stream_buffered says how much of it has
 *   come. Nothing of it is consumed, so a service answers and ends, or reads it in pieces.
 * - What is written is sent when the buffer is full, when the stream is flushed or closed, and
 *   before a reading call waits: so the answers to requests that came together leave together.
 * - While a coroutine waits in a stream that holds no bytes, the stream has no buffer.
 * - One coroutine may read while others write. A second one that reads gets EBUSY; those that write
 *   take turns, and each call's bytes stay together.
 *
 * The descriptor stays the caller's, who closes it after the stream's last call; other calls that
 * receive from it miss what the stream has buffered. If the hub was told that it was closed
 * (hub_close, hub_adopt, hub_connect), the stream's calls fail with EBADF once they need it; for a
 * close(2) behind the hub's back see io/fd.h. Blocking calls fail with the errors of io/socket.h,
 * too; on a pipe without readers writing raises SIGPIPE, as write(2) does. */
#ifndef HUBBUB_IO_STREAM_H
#define HUBBUB_IO_STREAM_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "../api.h"

HUBBUB_API_BEGIN

struct hub_stream;

/* How a stream is to be; {0}: as usual. */
struct hub_stream_options {
	size_t longest; /* bytes of a line or frame, or that a call may ask for; 0: 64 KiB */
	/* Bytes that a stream over memory collects; 0: any number. What passes that is EMSGSIZE and
	 * not written, and from then on nothing is: what was collected has no hole. */
	size_t most;
	void *room[2]; /* for later versions: NULL */
};

/* Makes a stream over fd, which may be one that the hub does not know yet. options NULL: defaults.
 * Switches: no.  Thread: a coroutine's; the stream belongs to its hub.  Ownership: fd stays the
 * caller's, who frees the stream by hub_stream_close or hub_stream_free.
 * Returns NULL with errno EBADF, ENOMEM, EPERM (no coroutine runs), or EINVAL (the options' room is
 * not NULL, or longest is above 1 GiB). */
struct hub_stream *hub_stream_new(int fd, const struct hub_stream_options *options);

/* Makes a stream that reads the length bytes at bytes, which must stay valid, and collects what is
 * written for hub_stream_output. Switches: no.  Returns as hub_stream_new. */
struct hub_stream *hub_stream_new_memory(
	const void *bytes, size_t length, const struct hub_stream_options *options);

/* Sends what was written, and frees the stream, also if sending fails: then, as in an expired scope
 * or a killed coroutine, what was not sent is lost. NULL is ignored.
 * Switches: yes, while the descriptor is full.  Returns 0, or -1 and the errno of sending. */
int hub_stream_close(struct hub_stream *stream);

/* Frees the stream; what was written and not sent is lost. No coroutine may be in a call on it.
 * NULL is ignored. Switches: no.  Keeps errno. */
void hub_stream_free(struct hub_stream *stream);

/* ---- reading ---- */

/* The next line, without its newline and without a carriage return before that; *length, unless
 * length is NULL, is set to its bytes, among which NULs may be.
 * Switches: yes, unless the line is buffered.
 * Returns a view, or NULL with errno 0 (the end), EBADMSG (the end, in the middle of a line),
 * EMSGSIZE (too long), EBUSY, ENOMEM, or an errno of receiving or of sending. */
char *hub_stream_read_line(struct hub_stream *stream, size_t *length);

/* The bytes up to the next delimiter of delimiter_length bytes, without it.
 * Switches: yes, unless they are buffered.  Returns as hub_stream_read_line, with EINVAL if
 * delimiter_length is 0. */
char *hub_stream_read_until(
	struct hub_stream *stream, const void *delimiter, size_t delimiter_length, size_t *length);

/* The next count bytes. Switches: yes, unless they are buffered.  Returns as
 * hub_stream_read_line. */
char *hub_stream_read_exactly(struct hub_stream *stream, size_t count);

/* What there is: at least one byte and at most most (at least 1). Waits only if nothing is
 * buffered. Switches: yes, unless bytes are buffered.  Returns as hub_stream_read_line. */
char *hub_stream_read_some(struct hub_stream *stream, size_t most, size_t *length);

/* Shows at least `least` bytes (at least 1), and all that are buffered, without consuming them.
 * Switches: yes, unless so many are buffered.  Returns as hub_stream_read_line. */
char *hub_stream_peek(struct hub_stream *stream, size_t least, size_t *length);

/* Reads length bytes into the caller's memory, however many; many are received there directly.
 * Switches: yes, unless they are buffered.
 * Returns length; less at the end of the input, or if interrupted after a part; or -1 and errno. */
ssize_t hub_stream_read(struct hub_stream *stream, void *buffer, size_t length);

/* Consumes count bytes without showing them, however many. Switches: yes, unless they are buffered.
 * Returns as hub_stream_read. */
ssize_t hub_stream_skip(struct hub_stream *stream, size_t count);

/* How many bytes have come and were not read. Switches: no.  Errors: none. */
size_t hub_stream_buffered(const struct hub_stream *stream);

/* ---- writing ---- */

/* Writes bytes, which are copied or sent. Switches: yes, if the buffer is full or bytes are many.
 * Returns length; less if interrupted after a part; or -1 and errno. */
ssize_t hub_stream_write(struct hub_stream *stream, const void *bytes, size_t length);

/* Writes a text as printf(3) does. Switches: as hub_stream_write.
 * Returns as hub_stream_write, with EINVAL (the format is wrong) and ENOMEM. */
ssize_t hub_stream_printf(struct hub_stream *stream, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* As hub_stream_printf, with the arguments of vprintf(3). Switches: as hub_stream_write.
 * Returns as hub_stream_printf. */
ssize_t hub_stream_vprintf(struct hub_stream *stream, const char *format, va_list arguments)
	__attribute__((format(printf, 2, 0)));

/* Sends what was written. Switches: yes, while the descriptor is full.
 * Returns 0, or -1 and errno; what was not sent is kept, and the next flush goes on with it. */
int hub_stream_flush(struct hub_stream *stream);

/* Whether reading calls leave what was written in the buffer, rather than send it before they wait.
 * Not so at first. Switches: no.  Errors: none. */
void hub_stream_cork(struct hub_stream *stream, bool is_corked);

/* How many bytes were written and not sent. Switches: no.  Errors: none. */
size_t hub_stream_unsent(const struct hub_stream *stream);

/* What was written to a stream over memory; valid until the next write. For other streams NULL.
 * Switches: no.  Errors: none. */
const char *hub_stream_output(const struct hub_stream *stream, size_t *length);

/* Copies at most count bytes, until the end of the input, from one stream to another, and sends
 * what it takes, behind what was written before: a file's go to a socket by the kernel alone, and a
 * socket's to another as soon as more come than a buffer takes.
 * Switches: yes.
 * Returns the bytes that were copied, none of which is left unsent; less than count at the end or
 * if interrupted after a part; or -1 and errno. What was not copied, from still has. */
int64_t hub_stream_copy(struct hub_stream *from, struct hub_stream *to, uint64_t count);

/* ---- frames ---- */

/* How a frame says where it ends: by a newline, or by a length before its bytes. */
enum hub_frame {
	HUB_FRAME_LINE,      /* "hello\n"; a carriage return before the newline is dropped */
	HUB_FRAME_NETSTRING, /* "5:hello," */
	HUB_FRAME_8,         /* a length of 1 byte */
	HUB_FRAME_16,        /* of 2 bytes, the most significant first, as networks have it */
	HUB_FRAME_32,        /* of 4 */
	HUB_FRAME_64,        /* of 8 */
	HUB_FRAME_16_LITTLE, /* the least significant first */
	HUB_FRAME_32_LITTLE,
	HUB_FRAME_64_LITTLE,
	HUB_FRAME_VARINT, /* of 1 to 10 bytes of 7 bits, the least significant first (LEB128) */
	HUB_FRAME_MAX
};

/* The bytes of the next frame. Switches: yes, unless it is buffered.
 * Returns as hub_stream_read_line; also EPROTO (its length is none), EINVAL (kind is none). */
char *hub_stream_read_frame(struct hub_stream *stream, enum hub_frame kind, size_t *length);

/* Writes a frame of length bytes. Switches: as hub_stream_write.
 * Returns 0, or -1 with errno EMSGSIZE (such a frame cannot say this length), EINVAL (kind is none,
 * or a line has a newline in it, or ends in a carriage return), or as hub_stream_write: a frame of
 * which a part was sent before the call was interrupted is such a failure, too, after which the
 * peer cannot be spoken to. */
int hub_stream_write_frame(
	struct hub_stream *stream, enum hub_frame kind, const void *bytes, size_t length);

HUBBUB_API_END

#endif
