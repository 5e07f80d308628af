/* Memory that processes share by a descriptor. */
#include "hub/base/memory.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/support/in_hub.h"

#define SIZE 10000

Test(memory, is_all_zero_and_seen_by_who_maps_it)
{
	int fd, before = open_descriptors();
	unsigned char *own = memory_new("test", SIZE, &fd), *others;

	cr_assert_not_null(own);
	for (size_t i = 0; i < SIZE; i++)
		cr_assert_eq(own[i], 0);
	others = memory_map(fd, SIZE);
	cr_assert_not_null(others);
	cr_assert_neq(own, others);
	own[SIZE - 1] = 7;
	cr_assert_eq(others[SIZE - 1], 7);
	*others = 9;
	cr_assert_eq(*own, 9);
	close(fd);
	/* The memory outlives the descriptor. */
	cr_assert_eq(others[SIZE - 1], 7);
	memory_free((void **)&own, SIZE);
	memory_free((void **)&others, SIZE);
	cr_assert_eq(open_descriptors(), before);
}

Test(memory, a_file_of_another_size_is_none_of_this_version)
{
	static const size_t wrong[] = {0, 1, SIZE - 1, SIZE + 1, 2 * SIZE};
	int fd = memfd_create("test", MFD_CLOEXEC);

	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		cr_assert_eq(ftruncate(fd, (off_t)wrong[i]), 0);
		errno = 0;
		cr_assert_null(memory_map(fd, SIZE), "%zu bytes", wrong[i]);
		cr_assert_eq(errno, EPROTO, "%zu bytes", wrong[i]);
	}
	close(fd);
	cr_assert_null(memory_map(fd, SIZE));
	cr_assert_eq(errno, EBADF);
}

/* Whoever has the descriptor, and does not mean it: the others would get SIGBUS. */
Test(memory, never_gets_shorter)
{
	int fd;
	unsigned char *memory = memory_new("test", SIZE, &fd);

	cr_assert_eq(ftruncate(fd, SIZE - 1), -1);
	cr_assert_eq(errno, EPERM);
	cr_assert_eq(memory[SIZE - 1], 0);
	memory_free((void **)&memory, SIZE);
	close(fd);
}

Test(memory, that_grows_is_there_for_all_who_have_mapped_it)
{
	int fd;
	unsigned char *own = memory_new_growing("test", 1, 10 * SIZE, &fd), *others;

	others = memory_map_growing(fd, 1, 10 * SIZE);
	cr_assert(own != NULL && others != NULL);
	cr_assert(memory_grow(fd, 10 * SIZE));
	/* Another process has made it longer already. */
	cr_assert(memory_grow(fd, SIZE));
	own[10 * SIZE - 1] = 7;
	cr_assert_eq(others[10 * SIZE - 1], 7);
	cr_assert_null(memory_map_growing(fd, 1, 10 * SIZE - 1));
	cr_assert_eq(errno, EPROTO);
	cr_assert_null(memory_map_growing(fd, 10 * SIZE + 1, 20 * SIZE));
	cr_assert_eq(errno, EPROTO);
	memory_free((void **)&own, 10 * SIZE);
	memory_free((void **)&others, 10 * SIZE);
	close(fd);
}

/* One process cannot keep the others from growing; and if it could, in memory of a program that
 * allowed it, they would know. */
Test(memory, that_grows_cannot_be_sealed_and_where_it_is_nobody_takes_it_for_grown)
{
	int fd, sealed = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	void *memory = memory_new_growing("test", 1, SIZE, &fd);

	cr_assert_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW), -1);
	cr_assert_eq(errno, EPERM);
	cr_assert(memory_grow(fd, SIZE));
	cr_assert_eq(fcntl(sealed, F_ADD_SEALS, F_SEAL_GROW), 0);
	errno = 0;
	cr_assert_not(memory_grow(sealed, SIZE));
	cr_assert_eq(errno, EPERM);
	memory_free(&memory, SIZE);
	close(fd);
	close(sealed);
}

Test(memory, freeing_unmaps_and_nulls_and_may_be_repeated)
{
	int fd;
	void *memory = memory_new("test", SIZE, &fd), *was = memory;
	unsigned char resident;

	memory_free(&memory, SIZE);
	cr_assert_null(memory);
	cr_assert_eq(mincore(was, 1, &resident), -1);
	cr_assert_eq(errno, ENOMEM);
	memory_free(&memory, SIZE);
	close(fd);
}

/* The lowest limit on files that leaves room for so many more. */
static void
leave_files(unsigned more)
{
	int next = dup(STDERR_FILENO);
	struct rlimit limit;

	close(next);
	/* Valgrind has the hard one for itself. */
	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = (rlim_t)next + more;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

Test(memory, without_files_nothing_is_made)
{
	int fd = 0;

	leave_files(0);
	cr_assert_null(memory_new("test", SIZE, &fd));
	cr_assert_eq(errno, EMFILE);
	cr_assert_eq(fd, -1);
}

Test(memory, without_room_the_file_goes_too)
{
	struct rlimit limit = {1 << 20, RLIM_INFINITY};
	int fd = 0, before = open_descriptors();
	void *memory;

	/* More than there are addresses left for. */
	cr_assert_eq(setrlimit(RLIMIT_AS, &limit), 0);
	memory = memory_new("test", (size_t)1 << 32, &fd);
	limit.rlim_cur = RLIM_INFINITY;
	cr_assert_eq(setrlimit(RLIMIT_AS, &limit), 0);
	cr_assert_null(memory);
	cr_assert_eq(errno, ENOMEM);
	cr_assert_eq(fd, -1);
	cr_assert_eq(open_descriptors(), before);
}
