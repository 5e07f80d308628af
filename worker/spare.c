/* One file descriptor of /dev/null for each process, opened in advance and closed when its place in
 * the descriptor table is needed. spare is atomic: of two threads that keep one, the second closes
 * its own. */
#include "worker/spare.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static int spare = -1;

void
spare_keep(void)
{
	int saved = errno, none = -1;
	int fd = __atomic_load_n(&spare, __ATOMIC_RELAXED) == -1
			 ? open("/dev/null", O_RDWR | O_CLOEXEC)
			 : -1;

	if (fd != -1 && !__atomic_compare_exchange_n(
				&spare, &none, fd, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		close(fd);
	errno = saved;
}

bool
spare_release(void)
{
	int fd = __atomic_exchange_n(&spare, -1, __ATOMIC_RELAXED);

	return fd != -1 && close(fd) == 0;
}

void
spare_forget(void)
{
	__atomic_store_n(&spare, -1, __ATOMIC_RELAXED);
}
