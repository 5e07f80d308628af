/* Each call makes a bounded number of reads, so a peer that keeps sending cannot hold the hub. */
#include "hub/io/leftover.h"

#include <errno.h>

#include "hub/base/kernel.h"

#define READS_IN_A_ROW 4

enum leftover
leftover_discard(int fd, void *buffer, size_t size)
{
	for (int i = 0; i < READS_IN_A_ROW; i++) {
		ssize_t length = kernel_recvfrom(fd, buffer, size, MSG_DONTWAIT, NULL, NULL);

		if (length == -1 && errno == EAGAIN)
			return LEFTOVER_NONE;
		if (length == 0 || (length == -1 && errno != EINTR))
			return LEFTOVER_ENDED;
	}
	return LEFTOVER_MORE;
}
