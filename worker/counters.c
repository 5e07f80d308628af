#include "worker/counters.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hub/base/check.h"

#define COUNTERS_MAGIC UINT32_C(0x68756262) /* "hubb" */

static size_t
counters_size(uint32_t workers, uint32_t hubs)
{
	return sizeof(struct counters) + (size_t)workers * hubs * sizeof(struct worker_row);
}

struct counters *
counters_new(uint32_t workers, uint32_t hubs)
{
	size_t size = counters_size(workers, hubs);
	struct counters *counters;
	int fd = memfd_create("hubbub-counters", MFD_CLOEXEC);

	if (fd == -1)
		return NULL;
	if (ftruncate(fd, (off_t)size) != 0) {
		close(fd);
		return NULL;
	}
	counters = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (counters == MAP_FAILED)
		return NULL;
	counters->magic = COUNTERS_MAGIC;
	counters->version = COUNTERS_VERSION;
	counters->workers = workers;
	counters->hubs = hubs;
	return counters;
}

void
counters_free(struct counters **pointer)
{
	struct counters *counters = *pointer;

	*pointer = NULL;
	if (counters != NULL)
		munmap(counters, counters_size(counters->workers, counters->hubs));
}

struct worker_row *
counters_rows(struct counters *counters, uint32_t worker)
{
	CHECK(counters->magic == COUNTERS_MAGIC && worker < counters->workers);
	return &counters->rows[(size_t)worker * counters->hubs];
}

void
counters_fold(struct worker_row *total, struct worker_row *row)
{
	total->hub.polls += row->hub.polls;
	total->hub.bytes_received += row->hub.bytes_received;
	total->hub.bytes_sent += row->hub.bytes_sent;
	total->accepted += row->accepted;
	total->closed += row->accepted;
	for (int kind = 0; kind < ACCEPT_ERROR_MAX; kind++)
		total->accept_errors[kind] += row->accept_errors[kind];
	memset(row, 0, sizeof *row);
}
