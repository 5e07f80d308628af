/* A memfd is mapped only at the size that the caller expects: the memory of a program whose structs
 * differ is refused. It is sealed, so that it never gets shorter, not even by two processes that
 * lengthen it at once: an access beyond its end would be SIGBUS. And no other seal can be added, by
 * which one process would keep the others from lengthening it. */
#include "hub/base/memory.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "hub/base/kernel.h"

void *
memory_map_growing(int fd, size_t least, size_t most)
{
	struct stat status;
	void *memory;

	if (kernel_fstat(fd, &status) != 0)
		return NULL;
	if ((size_t)status.st_size < least || (size_t)status.st_size > most) {
		errno = EPROTO;
		return NULL;
	}
	memory = kernel_mmap(NULL, most, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return memory != MAP_FAILED ? memory : NULL;
}

void *
memory_map(int fd, size_t size)
{
	return memory_map_growing(fd, size, size);
}

bool
memory_grow(int fd, size_t size)
{
	struct stat status;

	if (kernel_fstat(fd, &status) != 0)
		return false;
	if ((size_t)status.st_size >= size || kernel_ftruncate(fd, (off_t)size) == 0)
		return true;
	/* Another process has made it longer meanwhile; or has sealed it, made by a program that
	 * allowed that. */
	if (errno != EPERM || kernel_fstat(fd, &status) != 0)
		return false;
	errno = EPERM;
	return (size_t)status.st_size >= size;
}

void *
memory_new_growing(const char *name, size_t least, size_t most, int *fd)
{
	void *memory = NULL;
	int error;

	*fd = kernel_memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (*fd == -1)
		return NULL;
	if (kernel_ftruncate(*fd, (off_t)least) == 0 &&
		kernel_fcntl(*fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_SEAL) == 0)
		memory = memory_map_growing(*fd, least, most);
	if (memory != NULL)
		return memory;
	error = errno;
	kernel_close(*fd);
	*fd = -1;
	errno = error;
	return NULL;
}

void *
memory_new(const char *name, size_t size, int *fd)
{
	return memory_new_growing(name, size, size, fd);
}

void
memory_free(void **memory, size_t size)
{
	if (*memory != NULL)
		kernel_munmap(*memory, size);
	*memory = NULL;
}
