/* File locks: flock, lockf and fcntl. A lock that is taken is tried again every 1 to 16 ms, so the
 * kernel cannot see two processes that wait for each other. Right before a try, a thread without a
 * hub may close fd and reopen it for another file: then the try locks that file. Such a lock is
 * given back, together with what the thread itself has locked of the file in the same moment, since
 * the two cannot be told apart. */
#include "hub/patch/filelock_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <hubbub/scheduler.h>
#include <sys/file.h>
#include <unistd.h>

#include "hub/base/failed.h"
#include "hub/patch/calls_priv.h"
#include "hub/patch/real_priv.h"
#include "hub/patch/retry_priv.h"

int
patch_flock(int fd, int operation)
{
	struct retry retry = retry_of(fd);
	int result;

	if (operation & LOCK_NB)
		return REAL(flock)(fd, operation);
	while ((result = REAL(flock)(fd, operation | LOCK_NB)) == -1 && errno == EWOULDBLOCK)
		if (!retry_wait_for(&retry, fd, WAIT_RESTARTED))
			return -1;
	if (result == 0 && retry_has_lost(&retry, fd)) {
		REAL(flock)(fd, LOCK_UN);
		return failed(EBADF);
	}
	return result;
}

int
patch_lockf(int fd, int command, off_t length)
{
	struct retry retry = retry_of(fd);
	int result;

	if (command != F_LOCK)
		return REAL(lockf)(fd, command, length);
	while ((result = REAL(lockf)(fd, F_TLOCK, length)) == -1 &&
		(errno == EAGAIN || errno == EACCES))
		if (!retry_wait_for(&retry, fd, WAIT_RESTARTED))
			return -1;
	if (result == 0 && retry_has_lost(&retry, fd)) {
		REAL(lockf)(fd, F_ULOCK, length);
		return failed(EBADF);
	}
	return result;
}

int
filelock_wait(int fd, int command, void *lock)
{
	struct retry retry = retry_of(fd);
	int result, before = errno, try = command == F_SETLKW ? F_SETLK : F_OFD_SETLK;

	while ((result = REAL(fcntl)(fd, try, lock)) == -1 && (errno == EAGAIN || errno == EACCES))
		if (!retry_wait_for(&retry, fd, WAIT_RESTARTED))
			return -1;
	if (result == 0 && retry_has_lost(&retry, fd)) {
		struct flock unlock = *(struct flock *)lock;

		unlock.l_type = F_UNLCK;
		REAL(fcntl)(fd, try, &unlock);
		return failed(EBADF);
	}
	if (result == 0)
		errno = before;
	return result;
}
