/* The simulated side of the door (instead/hub/base/kernel.h). Each call on a descriptor of the
 * world takes a little time, may meet trouble, and does then what its file can do; a call on
 * another descriptor is the real one. Transfers are in transfer.c, sockets in socket.c. */
#include "sim/door/door_priv.h"

#include <errno.h>
#include <string.h>

#include "hub/base/failed.h"
#include "hub/base/kernel.h"
#include "sim/kernel/disk_priv.h"
#include "sim/kernel/file_priv.h"
#include "sim/kernel/pipe_priv.h"
#include "sim/kernel/set_priv.h"
#include "sim/world/world_priv.h"

/* Whether a call has to tell of an end or an error, which does not go away. */
static bool
has_ended(const struct file *file)
{
	return (file->kind->ready(file) & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

struct file *
door_enter(int fd)
{
	struct file *file;

	door_begin();
	file = files_get(fd);
	if (file == NULL || file->kind->seek != NULL)
		return file;
	if (world_chance(world_options()->interrupted)) {
		errno = EINTR;
		return NULL;
	}
	if (world_chance(world_options()->not_ready) && !has_ended(file)) {
		errno = EAGAIN;
		return NULL;
	}
	return file;
}

bool
door_refuses(enum errnos_call call, struct file *file)
{
	const struct errnos_row *row = errnos_draw(call, file);

	if (row == NULL)
		return false;
	world_note("%ld: refused: errno %ld", file->fd, row->error, 0);
	if (row->breaks && file->kind->lose != NULL) {
		file->kind->lose(file, row->error);
		return false;
	}
	errno = row->error;
	return true;
}

/* ---- making descriptors ---- */

int
door_refuse_to_make(void)
{
	world_tick(DOOR_CALL_TAKES);
	if (world_chance(world_options()->no_files))
		return world_draw(2) == 0 ? EMFILE : ENFILE;
	return world_chance(world_options()->no_memory) ? ENOMEM : 0;
}

int
door_open(struct file *file, bool is_cloexec)
{
	int fd;

	if (file == NULL)
		return failed(ENOMEM);
	fd = files_open(file, 0, is_cloexec);
	if (fd == -1) {
		if (file->kind->free != NULL)
			file->kind->free(file);
		file_release(file);
	}
	return fd;
}

int
kernel_open(const char *path, int flags, mode_t mode)
{
	struct file *file;
	int error;

	if (!world_exists() || !disk_has(path))
		return real_open(path, flags, mode);
	fiber_preemption_point();
	error = door_refuse_to_make();
	if (error != 0)
		return failed(error);
	error = errnos_draw_for(ERRNOS_OPEN, ERRNOS_DISK);
	if (error != 0)
		return failed(error);
	if (files_count() >= world_options()->files)
		return failed(EMFILE);
	file = disk_open(path, flags, mode);
	return file != NULL ? door_open(file, flags & O_CLOEXEC) : -1;
}

/* The hub asks it whether memory can be read, which disk_has would not survive. */
int
kernel_access(const char *path, int mode)
{
	return (int)syscall(SYS_faccessat, AT_FDCWD, path, mode);
}

int
kernel_pipe2(int ends[2], int flags)
{
	struct file *files[2];
	int error;

	if (!world_exists())
		return real_pipe2(ends, flags);
	fiber_preemption_point();
	error = door_refuse_to_make();
	if (error != 0)
		return failed(error);
	if (!pipe_new(files))
		return failed(ENOMEM);
	files[0]->flags = files[1]->flags = flags & O_NONBLOCK;
	ends[0] = door_open(files[0], flags & O_CLOEXEC);
	ends[1] = door_open(files[1], flags & O_CLOEXEC);
	if (ends[0] != -1 && ends[1] != -1)
		return 0;
	if (ends[0] != -1)
		files_close(ends[0]);
	return failed(EMFILE);
}

int
kernel_eventfd(unsigned count, int flags)
{
	struct file *file;

	if (!world_exists())
		return real_eventfd(count, flags);
	door_begin();
	file = counter_new(count, flags & EFD_SEMAPHORE);
	if (file != NULL)
		file->flags = flags & EFD_NONBLOCK ? O_NONBLOCK : 0;
	return door_open(file, flags & EFD_CLOEXEC);
}

int
kernel_epoll_create1(int flags)
{
	if (!world_exists())
		return real_epoll_create1(flags);
	door_begin();
	return door_open(set_new(), flags & EPOLL_CLOEXEC);
}

int
kernel_dup2(int from, int to)
{
	struct file *file;

	if (world_exists() && files_has(from) != files_has(to))
		world_fail("dup2 from %d to %d: one is the world's, the other a real descriptor",
			from, to);
	if (!files_has(from))
		return real_dup2(from, to);
	file = files_get(from);
	if (file == NULL)
		return -1;
	if (from == to)
		return to;
	file_hold(file);
	to = files_replace(to, file);
	if (to == -1)
		file_release(file);
	return to;
}

int
kernel_close(int fd)
{
	struct file *file;
	int error = 0;

	if (!files_has(fd))
		return real_close(fd);
	door_begin();
	file = files_get(fd);
	if (file == NULL)
		return -1;
	/* Whatever close(2) says, the descriptor is closed. */
	if (door_fails(ERRNOS_CLOSE, file))
		error = errno;
	files_close(fd);
	return failed(error);
}

/* ---- about descriptors ---- */

static int
duplicate(int fd, int first, bool is_cloexec)
{
	struct file *file = files_get(fd);
	int copy;

	if (file == NULL)
		return -1;
	file_hold(file);
	copy = files_open(file, first, is_cloexec);
	if (copy == -1)
		file_release(file);
	return copy;
}

int
kernel_fcntl(int fd, int command, long argument)
{
	struct file *file;

	if (!files_has(fd))
		return real_fcntl(fd, command, argument);
	file = files_get(fd);
	if (file == NULL)
		return -1;
	switch (command) {
	case F_GETFD:
		return files_is_cloexec(fd) ? FD_CLOEXEC : 0;
	case F_SETFD:
		files_set_cloexec(fd, argument & FD_CLOEXEC);
		return 0;
	case F_GETFL:
		return file->flags | file->access;
	case F_SETFL:
		file->flags = (int)argument & (O_NONBLOCK | O_APPEND);
		return 0;
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		return duplicate(fd, (int)argument, command == F_DUPFD_CLOEXEC);
	default:
		return failed(EINVAL);
	}
}

int
kernel_fstat(int fd, struct stat *status)
{
	const struct file *file;

	if (!files_has(fd))
		return real_fstat(fd, status);
	file = files_get(fd);
	if (file == NULL)
		return -1;
	if (file->kind->tell != NULL) {
		file->kind->tell(file, status);
		return 0;
	}
	*status = (struct stat){.st_mode = file->kind->type | 0600, .st_dev = 9, .st_nlink = 1};
	/* Files without a type share one inode. */
	status->st_ino = file->kind->type != 0 ? file->inode : 1;
	return 0;
}

int
kernel_fstatfs(int fd, struct statfs *status)
{
	if (!files_has(fd))
		return real_fstatfs(fd, status);
	*status = (struct statfs){0};
	return files_get(fd) != NULL ? 0 : -1;
}

int
kernel_epoll_ctl(int set, int operation, int fd, struct epoll_event *event)
{
	struct file *file;

	if (!files_has(set))
		return real_epoll_ctl(set, operation, fd, event);
	fiber_preemption_point();
	file = files_get(set);
	if (file == NULL || (operation == EPOLL_CTL_ADD && door_fails(ERRNOS_EPOLL_ADD, file)))
		return -1;
	return set_change(file, operation, fd, event);
}

int
kernel_epoll_wait_now(int set, struct epoll_event *events, int most)
{
	struct file *file;

	if (!files_has(set))
		return real_epoll_wait_now(set, events, most);
	fiber_preemption_point();
	file = files_get(set);
	return file != NULL ? set_take(file, events, most) : -1;
}

static short
poll_one(const struct pollfd *query)
{
	const struct file *file = files_get(query->fd);

	return file == NULL
		       ? POLLNVAL
		       : (short)(file->kind->ready(file) & (query->events | POLLERR | POLLHUP));
}

int
kernel_poll_now(struct pollfd *fds, nfds_t count)
{
	int ready = 0;

	if (!world_exists())
		return real_poll_now(fds, count);
	door_begin();
	for (nfds_t i = 0; i < count; i++) {
		fds[i].revents = 0;
		if (files_has(fds[i].fd))
			fds[i].revents = poll_one(&fds[i]);
		else if (fds[i].fd >= 0)
			real_poll_now(&fds[i], 1);
		ready += fds[i].revents != 0;
	}
	return ready;
}

/* ---- processes ---- */

pid_t
kernel_fork(void)
{
	if (!world_exists())
		return real_fork();
	world_fail("processes are not simulated: fork");
	return failed(ENOSYS);
}

int
kernel_posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
	const posix_spawnattr_t *attributes, char *const arguments[], char *const environment[])
{
	if (!world_exists())
		return real_posix_spawnp(pid, file, actions, attributes, arguments, environment);
	world_fail("processes are not simulated: %s is not started", file);
	return ENOSYS;
}
