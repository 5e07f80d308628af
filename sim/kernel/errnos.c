/* Left out is what other rates bring about (EINTR, EAGAIN, EMFILE, ENFILE, ECONNRESET of a peer,
 * ENOMEM of a call that makes a descriptor), and what the arguments alone decide (EINVAL, EBADF,
 * EFAULT). */
#include "sim/kernel/errnos_priv.h"

#include <errno.h>

#include "sim/kernel/file_priv.h"
#include "sim/world/world_priv.h"

static struct errnos_row rows[] = {
	{ERRNOS_SOCKET, ERRNOS_ALL, EACCES, 0, 0},
	{ERRNOS_SOCKET, ERRNOS_ALL, ENOBUFS, 0, 0},

	{ERRNOS_BIND, ERRNOS_ALL, EACCES, 0, 0},
	{ERRNOS_BIND, ERRNOS_ALL, EADDRINUSE, 0, 0},
	{ERRNOS_BIND, ERRNOS_INET, EADDRNOTAVAIL, 0, 0},
	{ERRNOS_BIND, ERRNOS_UNIX, ENOMEM, 0, 0},
	{ERRNOS_BIND, ERRNOS_UNIX, EROFS, 0, 0},

	/* Another socket has the port by now. */
	{ERRNOS_LISTEN, ERRNOS_TCP, EADDRINUSE, 0, 0},

	/* Linux passes errors of the network that the new connection has; they take it away. */
	{ERRNOS_ACCEPT, ERRNOS_TCP, ECONNABORTED, 1, 0},
	{ERRNOS_ACCEPT, ERRNOS_TCP, ENETDOWN, 1, 0},
	{ERRNOS_ACCEPT, ERRNOS_TCP, EPROTO, 1, 0},
	{ERRNOS_ACCEPT, ERRNOS_TCP, ENOPROTOOPT, 1, 0},
	{ERRNOS_ACCEPT, ERRNOS_TCP, EHOSTDOWN, 1, 0},
	{ERRNOS_ACCEPT, ERRNOS_TCP, ENONET, 1, 0},
	{ERRNOS_ACCEPT, ERRNOS_TCP, EHOSTUNREACH, 1, 0},
	{ERRNOS_ACCEPT, ERRNOS_TCP, EOPNOTSUPP, 1, 0},
	{ERRNOS_ACCEPT, ERRNOS_TCP, ENETUNREACH, 1, 0},
	{ERRNOS_ACCEPT, ERRNOS_TCP, ETIMEDOUT, 1, 0},
	{ERRNOS_ACCEPT, ERRNOS_TCP, EPERM, 1, 0}, /* a firewall */
	{ERRNOS_ACCEPT, ERRNOS_TCP | ERRNOS_UNIX, ENOBUFS, 0, 0},
	{ERRNOS_ACCEPT, ERRNOS_TCP | ERRNOS_UNIX, ENOMEM, 0, 0},

	{ERRNOS_CONNECT, ERRNOS_INET, EPERM, 0, 0}, /* a firewall */
	{ERRNOS_CONNECT, ERRNOS_INET, ENETUNREACH, 0, 0},
	{ERRNOS_CONNECT, ERRNOS_INET, EHOSTUNREACH, 0, 0},
	{ERRNOS_CONNECT, ERRNOS_TCP, EADDRNOTAVAIL, 0, 0},
	{ERRNOS_CONNECT, ERRNOS_ALL, EACCES, 0, 0},

	{ERRNOS_CONNECTED, ERRNOS_TCP, ECONNREFUSED, 0, 0},
	{ERRNOS_CONNECTED, ERRNOS_TCP, EHOSTUNREACH, 0, 0},
	{ERRNOS_CONNECTED, ERRNOS_TCP, ENETUNREACH, 0, 0},
	{ERRNOS_CONNECTED, ERRNOS_TCP, ETIMEDOUT, 0, 0},

	{ERRNOS_SEND, ERRNOS_TCP, ETIMEDOUT, 1, 0},
	{ERRNOS_SEND, ERRNOS_TCP, EHOSTUNREACH, 1, 0},
	{ERRNOS_SEND, ERRNOS_TCP, ENETUNREACH, 1, 0},
	{ERRNOS_SEND, ERRNOS_INET | ERRNOS_UNIX, ENOMEM, 0, 0},
	{ERRNOS_SEND, ERRNOS_UDP, EPERM, 0, 0}, /* a firewall */
	{ERRNOS_SEND, ERRNOS_UDP, EACCES, 0, 0},
	{ERRNOS_SEND, ERRNOS_UDP, ENETDOWN, 0, 0},
	{ERRNOS_SEND, ERRNOS_UDP, ENETUNREACH, 0, 0},
	{ERRNOS_SEND, ERRNOS_UDP, EHOSTUNREACH, 0, 0},

	{ERRNOS_RECEIVE, ERRNOS_TCP, ETIMEDOUT, 1, 0},
	{ERRNOS_RECEIVE, ERRNOS_TCP, EHOSTUNREACH, 1, 0},
	{ERRNOS_RECEIVE, ERRNOS_INET | ERRNOS_UNIX, ENOMEM, 0, 0},

	{ERRNOS_EPOLL_ADD, ERRNOS_ALL, ENOMEM, 0, 0},
	{ERRNOS_EPOLL_ADD, ERRNOS_ALL, ENOSPC, 0, 0},

	{ERRNOS_OPEN, ERRNOS_DISK, EACCES, 0, 0},
	{ERRNOS_OPEN, ERRNOS_DISK, EROFS, 0, 0},
	{ERRNOS_OPEN, ERRNOS_DISK, ENOSPC, 0, 0},
	{ERRNOS_OPEN, ERRNOS_DISK, EDQUOT, 0, 0},
	{ERRNOS_WRITE, ERRNOS_DISK, ENOSPC, 0, 0},
	{ERRNOS_WRITE, ERRNOS_DISK, EDQUOT, 0, 0},
	{ERRNOS_WRITE, ERRNOS_DISK, EIO, 0, 0},
	{ERRNOS_READ, ERRNOS_DISK, EIO, 0, 0},
	{ERRNOS_TRUNCATE, ERRNOS_DISK, EIO, 0, 0},
	{ERRNOS_SYNC, ERRNOS_DISK, EIO, 0, 0},
	{ERRNOS_SYNC, ERRNOS_DISK, ENOSPC, 0, 0},
	{ERRNOS_SYNC, ERRNOS_DISK, EDQUOT, 0, 0},
	/* It is closed all the same. */
	{ERRNOS_CLOSE, ERRNOS_DISK, EIO, 0, 0},
	{ERRNOS_CLOSE, ERRNOS_DISK, ENOSPC, 0, 0},
};

#define ROWS (sizeof rows / sizeof *rows)

static int
sort_of(const struct file *file)
{
	if (file->kind->seek != NULL)
		return ERRNOS_DISK;
	if (file->kind->socket_type == 0)
		return ERRNOS_OTHER;
	if (file->family == AF_UNIX)
		return ERRNOS_UNIX;
	return file->kind->socket_type == SOCK_STREAM ? ERRNOS_TCP : ERRNOS_UDP;
}

static struct errnos_row *
draw(enum errnos_call call, int sorts)
{
	struct errnos_row *fitting[ROWS];
	size_t count = 0;

	for (size_t i = 0; i < ROWS; i++)
		if (rows[i].call == call && (rows[i].sorts & sorts))
			fitting[count++] = &rows[i];
	if (count == 0 || !world_chance(world_options()->refused))
		return NULL;
	fitting[0] = fitting[world_draw(count)];
	fitting[0]->seen++;
	return fitting[0];
}

const struct errnos_row *
errnos_draw(enum errnos_call call, const struct file *file)
{
	return world_options()->refused != 0 ? draw(call, sort_of(file)) : NULL;
}

int
errnos_draw_for(enum errnos_call call, int sorts)
{
	const struct errnos_row *row = world_options()->refused != 0 ? draw(call, sorts) : NULL;

	return row != NULL ? row->error : 0;
}

const struct errnos_row *
errnos_rows(size_t *count)
{
	*count = ROWS;
	return rows;
}
