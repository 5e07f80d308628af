/* A memfd is mapped only at the size that the caller expects: the memory of a program whose structs
 * differ is refused, and no access lies beyond its end. */
#include "hub/base/memory.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "hub/base/kernel.h"

void *
memory_map(int fd, size_t size)
{
	struct stat status;
	void *memory;

	if (kernel_fstat(fd, &status) != 0)
		return NULL;
	/* An access beyond the file's end would be SIGBUS. */
	if ((size_t)status.st_size != size) {
		errno = EPROTO;
		return NULL;
	}
	memory = kernel_mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return memory != MAP_FAILED ? memory : NULL;
}

void *
memory_new(const char *name, size_t size, int *fd)
{
	void *memory;
	int error;

	*fd = kernel_memfd_create(name, MFD_CLOEXEC);
	if (*fd == -1)
		return NULL;
	memory = kernel_ftruncate(*fd, (off_t)size) == 0 ? memory_map(*fd, size) : NULL;
	if (memory != NULL)
		return memory;
	error = errno;
	kernel_close(*fd);
	*fd = -1;
	errno = error;
	return NULL;
}

void
memory_free(void **memory, size_t size)
{
	if (*memory != NULL)
		kernel_munmap(*memory, size);
	*memory = NULL;
}
