/* Whether an fd still refers to the same open file.
 *
 * Sockets, unnamed pipes and files are told apart by device and inode. Other kinds are not: all
 * eventfds, timerfds, signalfds and epoll sets of a machine share one inode, and a terminal or a
 * named pipe has the same inode each time it is opened. fds of these kinds are members of an epoll
 * set, `kinds`, that no thread waits for. The kernel keeps in it the pair of fd and open file:
 * adding the fd again fails with EEXIST as long as it refers to the same open file, and succeeds
 * otherwise.
 *
 * An accepted socket is looked at when it is first asked about, since most never are. Until then
 * another stream under its fd passes for it; so when the sweep is the first to ask, it has the
 * kernel watch the fd anew. */
#include "hub/io/identity_priv.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "hub/base/check.h"
#include "hub/base/kernel.h"
#include "hub/io/own_priv.h"

#define MQUEUE_MAGIC 0x19800202

static bool
is_always_ready(const struct stat *status)
{
	return S_ISREG(status->st_mode) || S_ISDIR(status->st_mode);
}

static bool
is_stream(int fd, const struct stat *status)
{
	int type;
	socklen_t length = sizeof type;

	return S_ISSOCK(status->st_mode) &&
	       kernel_getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 &&
	       type == SOCK_STREAM;
}

/* Decided by the type of the file, since a named pipe has the file system's device. */
static bool
has_own_inode(const struct stat *status)
{
	return S_ISSOCK(status->st_mode) || is_always_ready(status);
}

/* Adds the pair of fd and open file to the set. Returns 0, EEXIST if the pair is in it, or another
 * errno if the set cannot tell. */
static int
join_kinds(struct hub *hub, int fd)
{
	struct epoll_event nothing = {0};

	if (hub->fds.kinds == -1)
		hub->fds.kinds = hub_own(kernel_epoll_create1(EPOLL_CLOEXEC));
	return kernel_epoll_ctl(hub->fds.kinds, EPOLL_CTL_ADD, fd, &nothing) == 0 ? 0 : errno;
}

/* A duplicate may keep the pair in the set after the fd is closed. Mostly there is none, and the
 * kernel reports ENOENT. Keeps errno. */
static void
leave_kinds(struct hub *hub, int fd)
{
	struct epoll_event nothing = {0};
	int error = errno;

	kernel_epoll_ctl(hub->fds.kinds, EPOLL_CTL_DEL, fd, &nothing);
	errno = error;
}

void
identity_stop(struct hub *hub)
{
	if (hub->fds.kinds == -1)
		return;
	hub_disown(hub->fds.kinds);
	kernel_close(hub->fds.kinds);
}

static void
note(struct hub *hub, struct hub_fd *entry, const struct stat *status)
{
	DCHECK(!entry->is_known && !entry->is_member);
	entry->device = status->st_dev;
	entry->inode = status->st_ino;
	entry->is_known = true;
	if (!has_own_inode(status)) {
		int error = join_kinds(hub, entry->read.fd);

		/* If no set can be made, or it is full, the file counts as the same. */
		entry->is_member = error == 0 || error == EEXIST;
	}
}

/* A message queue (mq_overview(7)) is a regular file to fstat(2), but it can be waited for. Its
 * file system lies on no device, so a file on a disk is not asked. */
static bool
is_message_queue(int fd, const struct stat *status)
{
	struct statfs system;

	return S_ISREG(status->st_mode) && major(status->st_dev) == 0 &&
	       kernel_fstatfs(fd, &system) == 0 && system.f_type == MQUEUE_MAGIC;
}

void
identity_note(struct hub *hub, struct hub_fd *entry, const struct stat *status)
{
	entry->is_socket = S_ISSOCK(status->st_mode);
	entry->is_file = is_always_ready(status) && !is_message_queue(entry->read.fd, status);
	entry->is_stream = is_stream(entry->read.fd, status);
	note(hub, entry, status);
}

void
identity_forget(struct hub *hub, struct hub_fd *entry)
{
	DCHECK(!entry->is_member || (entry->is_known && hub->fds.kinds != -1));
	if (entry->is_member)
		leave_kinds(hub, entry->read.fd);
	entry->is_known = entry->is_member = false;
}

/* The first question about an accepted socket compares only its type, and then records the
 * identity. */
static bool
means_the_same(struct hub *hub, struct hub_fd *entry)
{
	struct stat status;

	if (kernel_fstat(entry->read.fd, &status) != 0)
		return false;
	if (entry->is_known)
		return entry->device == status.st_dev && entry->inode == status.st_ino &&
		       (!entry->is_member || join_kinds(hub, entry->read.fd) != 0);
	if (entry->is_socket != S_ISSOCK(status.st_mode) ||
		entry->is_stream != is_stream(entry->read.fd, &status))
		return false;
	note(hub, entry, &status);
	return true;
}

bool
fd_is_same(struct hub *hub, struct hub_fd *entry)
{
	int error = errno;
	bool is_same;

	DCHECK(entry->generation != 0);
	is_same = means_the_same(hub, entry);
	errno = error;
	return is_same;
}
