/* Bytes that have arrived are acknowledged: there is no reader's window in this world, so a peer
 * that does not read is known by a full channel alone. */
#include "sim/kernel/info_priv.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>

#include "hub/base/failed.h"
#include "hub/base/kernel.h"
#include "hub/scheduler.h"
#include "sim/kernel/file_priv.h"
#include "sim/kernel/stream_connect_priv.h"
#include "sim/world/world_priv.h"

/* NULL: it is no TCP socket. */
static const struct stream *
tcp_of(struct file *file)
{
	return file->kind->accept != NULL && file->family != AF_UNIX ? stream_of(file) : NULL;
}

int
info_protocol(const struct file *file)
{
	if (file->family == AF_UNIX)
		return 0;
	return file->kind->socket_type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP;
}

static uint32_t
milliseconds_since(int64_t time)
{
	return (uint32_t)((world_now() - time) / HUB_MILLISECOND);
}

int
info_read(struct file *file, void *value, socklen_t *length)
{
	const struct stream *stream = tcp_of(file);
	struct tcp_info info = {.tcpi_state = TCP_CLOSE};

	if (stream == NULL)
		return failed(EOPNOTSUPP);
	if (stream->state == STREAM_LISTENING) {
		info.tcpi_state = TCP_LISTEN;
		info.tcpi_unacked = (uint32_t)stream->queued;
		info.tcpi_sacked = (uint32_t)stream->backlog;
	} else if (stream->in != NULL) {
		info.tcpi_state = stream->is_reset ? TCP_CLOSE : TCP_ESTABLISHED;
		info.tcpi_last_data_sent = milliseconds_since(stream->out->sent_at);
		info.tcpi_last_data_recv = milliseconds_since(stream->in->came_at);
	}
	if (*length > sizeof info)
		*length = sizeof info;
	memcpy(value, &info, *length);
	return 0;
}

/* ioctl(2) for descriptors of the world: how many bytes are to be read, or not acknowledged yet. */
static int
count_bytes(int fd, unsigned long request, int *count)
{
	struct file *file = files_get(fd);
	const struct stream *stream;

	if (file == NULL)
		return -1;
	if (request == FIONREAD && file->kind->waiting != NULL) {
		*count = (int)file->kind->waiting(file);
		return 0;
	}
	stream = tcp_of(file);
	if (request != SIOCOUTQ || stream == NULL)
		return failed(ENOTTY);
	*count = stream->out != NULL ? (int)stream->out->on_way : 0;
	return 0;
}

__attribute__((visibility("default"))) int
ioctl(int fd, unsigned long request, ...)
{
	va_list arguments;
	void *argument;

	va_start(arguments, request);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	return files_has(fd) ? count_bytes(fd, request, argument)
			     : (int)syscall(SYS_ioctl, fd, request, argument);
}
