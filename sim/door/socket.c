/* Calls on sockets. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#include "hub/base/failed.h"
#include "hub/base/kernel.h"
#include "sim/door/door_priv.h"
#include "sim/kernel/datagram_priv.h"
#include "sim/kernel/file_priv.h"
#include "sim/kernel/info_priv.h"
#include "sim/kernel/stream_connect_priv.h"
#include "sim/kernel/stream_priv.h"
#include "sim/world/world_priv.h"

#define BUFFER_SIZE 65536 /* what SO_SNDBUF and SO_RCVBUF tell */

static struct file *
socket_of(int domain, int type)
{
	type &= ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (domain != AF_INET && domain != AF_INET6 && domain != AF_UNIX) {
		errno = EAFNOSUPPORT;
		return NULL;
	}
	if (type != SOCK_STREAM && type != SOCK_DGRAM &&
		!(type == SOCK_SEQPACKET && domain == AF_UNIX)) {
		errno = EPROTONOSUPPORT;
		return NULL;
	}
	return type == SOCK_STREAM ? stream_new(domain)
				   : datagram_new(domain, type == SOCK_SEQPACKET);
}

int
kernel_socket(int domain, int type, int protocol)
{
	struct file *file;
	int error;

	if (!world_exists())
		return real_socket(domain, type, protocol);
	fiber_preemption_point();
	error = door_refuse_to_make();
	if (error == 0)
		error = errnos_draw_for(ERRNOS_SOCKET, ERRNOS_ALL);
	if (error != 0)
		return failed(error);
	file = socket_of(domain, type);
	if (file == NULL)
		return -1;
	file->flags = type & SOCK_NONBLOCK ? O_NONBLOCK : 0;
	return door_open(file, type & SOCK_CLOEXEC);
}

int
sim_socketpair(int domain, int type, int fds[2])
{
	struct file *one, *other;
	bool is_cloexec = type & SOCK_CLOEXEC;

	if (domain != AF_UNIX)
		return failed(EOPNOTSUPP);
	one = socket_of(domain, type);
	other = one != NULL ? socket_of(domain, type) : NULL;
	if (other == NULL)
		return -1;
	if (one->kind->socket_type != SOCK_STREAM)
		datagram_join(one, other);
	else if (!stream_join(one, other))
		return failed(ENOMEM);
	one->flags = other->flags = type & SOCK_NONBLOCK ? O_NONBLOCK : 0;
	fds[0] = door_open(one, is_cloexec);
	fds[1] = door_open(other, is_cloexec);
	if (fds[0] != -1 && fds[1] != -1)
		return 0;
	if (fds[0] != -1)
		files_close(fds[0]);
	if (fds[1] != -1)
		files_close(fds[1]);
	return failed(EMFILE);
}

int
kernel_accept4(int fd, struct sockaddr *address, socklen_t *length, int flags)
{
	const struct errnos_row *row;
	struct file *listener, *client;
	int error, accepted;

	if (!files_has(fd))
		return real_accept4(fd, address, length, flags);
	listener = door_enter(fd);
	if (listener == NULL)
		return -1;
	if (listener->kind->accept == NULL)
		return failed(listener->kind->socket_type != 0 ? EOPNOTSUPP : ENOTSOCK);
	error = door_refuse_to_make();
	if (error != 0)
		return failed(error);
	if (files_count() >= world_options()->files)
		return failed(EMFILE);
	row = errnos_draw(ERRNOS_ACCEPT, listener);
	if (row != NULL && !row->breaks)
		return failed(row->error);
	client = listener->kind->accept(listener);
	if (client == NULL)
		return -1;
	/* The client has gone, and the kernel says so instead of giving it. */
	if (world_chance(world_options()->reset))
		error = ECONNABORTED;
	else if (row != NULL)
		error = row->error;
	if (error != 0) {
		client->kind->free(client);
		file_release(client);
		return failed(error);
	}
	if (address != NULL && client->kind->name(client, true, address, length) != 0)
		*length = 0;
	client->flags = flags & SOCK_NONBLOCK ? O_NONBLOCK : 0;
	accepted = door_open(client, flags & SOCK_CLOEXEC);
	if (accepted != -1)
		file_note(listener, fd, "accepts a connection, %ld", accepted, 0);
	return accepted;
}

int
kernel_connect(int fd, const struct sockaddr *address, socklen_t length)
{
	struct file *file;

	if (!files_has(fd))
		return real_connect(fd, address, length);
	door_begin();
	file = files_get(fd);
	if (file == NULL || door_fails(ERRNOS_CONNECT, file))
		return -1;
	return file->kind->connect != NULL ? file->kind->connect(file, address, length)
					   : failed(ENOTSOCK);
}

int
kernel_bind(int fd, const struct sockaddr *address, socklen_t length)
{
	struct file *file;

	if (!files_has(fd))
		return real_bind(fd, address, length);
	fiber_preemption_point();
	file = files_get(fd);
	if (file == NULL || door_fails(ERRNOS_BIND, file))
		return -1;
	return file->kind->bind != NULL ? file->kind->bind(file, address, length)
					: failed(ENOTSOCK);
}

int
kernel_listen(int fd, int backlog)
{
	struct file *file;

	if (!files_has(fd))
		return real_listen(fd, backlog);
	fiber_preemption_point();
	file = files_get(fd);
	if (file == NULL || door_fails(ERRNOS_LISTEN, file))
		return -1;
	return file->kind->listen != NULL ? file->kind->listen(file, backlog) : failed(EOPNOTSUPP);
}

int
kernel_shutdown(int fd, int how)
{
	struct file *file;

	if (!files_has(fd))
		return real_shutdown(fd, how);
	door_begin();
	file = files_get(fd);
	if (file == NULL)
		return -1;
	file_note(file, fd,
		how == SHUT_RD   ? "is shut down for reading"
		: how == SHUT_WR ? "is shut down for writing"
				 : "is shut down",
		0, 0);
	return file->kind->shutdown != NULL ? file->kind->shutdown(file, how) : failed(ENOTSOCK);
}

int
sim_getname(int fd, bool is_peer, struct sockaddr *address, socklen_t *length)
{
	struct file *file = files_get(fd);

	if (file == NULL)
		return -1;
	return file->kind->name != NULL ? file->kind->name(file, is_peer, address, length)
					: failed(ENOTSOCK);
}

/* What getsockopt(2) reads of the socket; false: nothing is known of that option. */
static bool
read_option(struct file *file, int option, int *value)
{
	switch (option) {
	case SO_TYPE:
		*value = file->kind->socket_type;
		return true;
	case SO_DOMAIN:
		*value = file->family;
		return true;
	case SO_ERROR:
		*value = file->kind->error != NULL ? file->kind->error(file) : 0;
		return true;
	case SO_PROTOCOL:
		*value = info_protocol(file);
		return true;
	case SO_ACCEPTCONN:
		*value = file->kind->accept != NULL && stream_of(file)->state == STREAM_LISTENING;
		return true;
	case SO_REUSEPORT:
		*value = file->is_in_group;
		return true;
	case SO_SNDBUF:
	case SO_RCVBUF:
		*value = BUFFER_SIZE;
		return true;
	default:
		*value = 0;
		return false;
	}
}

int
kernel_getsockopt(int fd, int level, int option, void *value, socklen_t *length)
{
	struct file *file;
	int number = 0;

	if (!files_has(fd))
		return real_getsockopt(fd, level, option, value, length);
	fiber_preemption_point();
	file = files_get(fd);
	if (file == NULL)
		return -1;
	if (file->kind->socket_type == 0)
		return failed(ENOTSOCK);
	if (level == SOL_SOCKET && option == SO_LINGER && *length >= sizeof file->linger) {
		memcpy(value, &file->linger, sizeof file->linger);
		*length = sizeof file->linger;
		return 0;
	}
	if (level == IPPROTO_TCP && option == TCP_INFO)
		return info_read(file, value, length);
	if (level == SOL_SOCKET)
		read_option(file, option, &number);
	if (*length > sizeof number)
		*length = sizeof number;
	memcpy(value, &number, *length);
	return 0;
}

/* Options that change nothing in this world are accepted. */
int
kernel_setsockopt(int fd, int level, int option, const void *value, socklen_t length)
{
	struct file *file;

	if (!files_has(fd))
		return real_setsockopt(fd, level, option, value, length);
	fiber_preemption_point();
	file = files_get(fd);
	if (file == NULL)
		return -1;
	if (file->kind->socket_type == 0)
		return failed(ENOTSOCK);
	if (level == SOL_SOCKET && option == SO_LINGER && length >= sizeof file->linger)
		memcpy(&file->linger, value, sizeof file->linger);
	if (level == SOL_SOCKET && option == SO_SNDBUF && length >= sizeof(int) &&
		file->kind->set_send_buffer != NULL)
		file->kind->set_send_buffer(file, *(const int *)value);
	if (level == SOL_SOCKET && option == SO_REUSEPORT && length >= sizeof(int))
		file->is_in_group = *(const int *)value != 0;
	/* A filter of a listener, by which a server lets no more clients come. */
	if (level == SOL_SOCKET && option == SO_ATTACH_FILTER)
		file->drops_syns = true;
	if (level == IPPROTO_IPV6 && option == IPV6_V6ONLY && length >= sizeof(int))
		file->is_v6only = *(const int *)value != 0;
	return 0;
}
