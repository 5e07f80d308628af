/* Libc's names for files. Those below options->directory are the world's; all others are real. The
 * streams of stdio, and lists of directories, are always real: libc makes their calls inside. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "hub/base/failed.h"
#include "hub/base/kernel.h"
#include "sim/door/door_priv.h"
#include "sim/kernel/disk_priv.h"
#include "sim/kernel/file_priv.h"
#include "sim/kernel/name_priv.h"
#include "sim/libc/before_priv.h"
#include "sim/world/world_priv.h"

/* The name that a call has with 64-bit offsets, which are the only ones. */
#define ALIAS(name) __attribute__((alias(#name))) EXPORT

static bool
is_of_disk(const char *path)
{
	return path != NULL && is_in_world() && disk_has(path);
}

/* ---- opening ---- */

EXPORT int
openat(int directory, const char *path, int flags, ...)
{
	va_list arguments;
	mode_t mode;

	va_start(arguments, flags);
	mode = va_arg(arguments, mode_t);
	va_end(arguments);
	return is_of_disk(path) ? kernel_open(path, flags, mode)
				: (int)syscall(SYS_openat, directory, path, flags, mode);
}

EXPORT int
open(const char *path, int flags, ...)
{
	va_list arguments;
	mode_t mode;

	va_start(arguments, flags);
	mode = va_arg(arguments, mode_t);
	va_end(arguments);
	return openat(AT_FDCWD, path, flags, mode);
}

EXPORT int
creat(const char *path, mode_t mode)
{
	return open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
}

/* Fills in the six letters before the suffix, and opens. */
EXPORT int
mkostemp(char *name, int flags)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	char *at = name + strlen(name) - 6;
	int fd;

	if (!is_of_disk(name))
		return LIBC(mkostemp)(name, flags);
	if (at < name || strcmp(at, "XXXXXX") != 0)
		return failed(EINVAL);
	do {
		for (int i = 0; i < 6; i++)
			at[i] = letters[world_draw(sizeof letters - 1)];
		fd = open(name, flags | O_RDWR | O_CREAT | O_EXCL, 0600);
	} while (fd == -1 && errno == EEXIST);
	return fd;
}

EXPORT int
mkstemp(char *name)
{
	return mkostemp(name, 0);
}

/* ---- open files ---- */

EXPORT ssize_t
pread(int fd, void *buffer, size_t length, off_t offset)
{
	struct iovec part = {buffer, length};

	return kernel_preadv(fd, &part, 1, offset);
}

EXPORT ssize_t
pwrite(int fd, const void *buffer, size_t length, off_t offset)
{
	struct iovec part = {(void *)(uintptr_t)buffer, length};

	return kernel_pwritev(fd, &part, 1, offset);
}

EXPORT off_t
lseek(int fd, off_t offset, int whence)
{
	return kernel_lseek(fd, offset, whence);
}

EXPORT int
ftruncate(int fd, off_t length)
{
	return kernel_ftruncate(fd, length);
}

EXPORT int
fsync(int fd)
{
	return kernel_fsync(fd);
}

EXPORT int
fdatasync(int fd)
{
	return kernel_fdatasync(fd);
}

EXPORT int
fstat(int fd, struct stat *status)
{
	return files_has(fd) ? kernel_fstat(fd, status)
			     : (int)syscall(SYS_newfstatat, fd, "", status, AT_EMPTY_PATH);
}

/* ---- paths ---- */

/* Whether a Unix socket listens there: its path is a file only as long. */
static bool
is_of_socket(const char *path)
{
	return is_in_world() && path[0] == '/' && name_at(path) != NULL;
}

EXPORT int
fstatat(int directory, const char *restrict path, struct stat *restrict status, int flags)
{
	if ((flags & AT_EMPTY_PATH) && path[0] == '\0' && files_has(directory))
		return kernel_fstat(directory, status);
	if (is_of_socket(path))
		return kernel_fstat(name_at(path)->fd, status);
	return is_of_disk(path) ? disk_stat(path, status)
				: (int)syscall(SYS_newfstatat, directory, path, status, flags);
}

EXPORT int
stat(const char *restrict path, struct stat *restrict status)
{
	return fstatat(AT_FDCWD, path, status, 0);
}

EXPORT int
lstat(const char *restrict path, struct stat *restrict status)
{
	return fstatat(AT_FDCWD, path, status, AT_SYMLINK_NOFOLLOW);
}

/* The world has one user, who may do everything. */
EXPORT int
access(const char *path, int mode)
{
	struct stat status;

	return is_of_disk(path) ? disk_stat(path, &status)
				: (int)syscall(SYS_faccessat, AT_FDCWD, path, mode);
}

EXPORT int
truncate(const char *path, off_t length)
{
	int fd, result;

	if (!is_of_disk(path))
		return (int)syscall(SYS_truncate, path, length);
	fd = open(path, O_WRONLY);
	if (fd == -1)
		return -1;
	result = kernel_ftruncate(fd, length);
	kernel_close(fd);
	return result;
}

EXPORT int
unlinkat(int directory, const char *path, int flags)
{
	/* Nobody finds the socket any more; who is queued there stays. */
	if (is_of_socket(path)) {
		name_unlisten(name_at(path));
		return 0;
	}
	return is_of_disk(path) ? disk_unlink(path, flags & AT_REMOVEDIR)
				: (int)syscall(SYS_unlinkat, directory, path, flags);
}

EXPORT int
unlink(const char *path)
{
	return unlinkat(AT_FDCWD, path, 0);
}

EXPORT int
rmdir(const char *path)
{
	return unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

EXPORT int
mkdir(const char *path, mode_t mode)
{
	return is_of_disk(path) ? disk_mkdir(path, mode)
				: (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
}

EXPORT int
rename(const char *from, const char *to)
{
	if (!is_of_disk(from) && !is_of_disk(to))
		return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
	return is_of_disk(from) && is_of_disk(to) ? disk_rename(from, to) : failed(EXDEV);
}

/* ---- other names ---- */

ALIAS(open) int open64(const char *path, int flags, ...);
ALIAS(openat) int openat64(int directory, const char *path, int flags, ...);
ALIAS(pread) ssize_t pread64(int fd, void *buffer, size_t length, off64_t offset);
ALIAS(pwrite) ssize_t pwrite64(int fd, const void *buffer, size_t length, off64_t offset);
ALIAS(lseek) off64_t lseek64(int fd, off64_t offset, int whence);
ALIAS(ftruncate) int ftruncate64(int fd, off64_t length);
ALIAS(mkstemp) int mkstemp64(char *name);
