#include "worker/recorders.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hub/base/clock.h"

static struct recorders *recorders;

static void
begin(void)
{
	recorders = recorders_new(100 * 1024);
	cr_assert_not_null(recorders);
}

static void
end(void)
{
	recorders_free(recorders);
}

/* Whose the ring of that number is. */
static struct recorders_seat
seat(unsigned number)
{
	return recorders_head(recorders)->seats[number];
}

TestSuite(recorders, .init = begin, .fini = end);

Test(recorders, rings_are_whole_pages_of_any_machine)
{
	cr_assert_eq(recorders_head(recorders)->ring_size, 2 * RECORDERS_ALIGN);
}

Test(recorders, places_are_taken_in_turn_so_that_the_dead_are_kept)
{
	cr_assert_eq(recorders_claim(recorders, 2), 0);
	recorders_bury(recorders, 0, 2);
	cr_assert_eq(recorders_claim(recorders, 2), 2);
	cr_assert_neq(seat(0).life, 0);
	cr_assert_neq(seat(0).ended, 0);
	cr_assert_eq(seat(2).ended, 0);
	recorders_sweep(recorders, clock_now() + RECORDERS_KEPT + CLOCK_SECOND);
	cr_assert_eq(seat(0).life, 0);
	cr_assert_neq(seat(2).life, 0);
}

Test(recorders, the_dead_give_way_when_there_is_no_other_place)
{
	cr_assert_eq(recorders_claim(recorders, RECORDERS_MAX), 0);
	cr_assert_eq(recorders_claim(recorders, 1), -1);
	cr_assert_eq(errno, ENOSPC);
	recorders_bury(recorders, 7, 1);
	cr_assert_eq(recorders_claim(recorders, 1), 7);
	cr_assert_eq(recorders_claim(recorders, RECORDERS_MAX + 1), -1);
}

Test(recorders, a_new_process_gets_an_empty_ring)
{
	struct flight_ring *ring;
	struct flight flight;

	cr_assert_eq(recorders_claim(recorders, RECORDERS_MAX), 0);
	ring = recorders_map(recorders, 7, 1);
	flight_open(&flight, ring, recorders_head(recorders)->ring_size);
	flight_put(&flight, FLIGHT_END, 1, 2, 3);
	recorders_bury(recorders, 7, 1);
	cr_assert_eq(flight_written(ring), 1);
	cr_assert_eq(recorders_claim(recorders, 1), 7);
	cr_assert_eq(flight_written(ring), 0);
	recorders_unmap(recorders, ring, 1);
}

Test(recorders, recording_has_an_end_that_is_only_put_off)
{
	const struct recorders_head *head = recorders_head(recorders);

	cr_assert_not(recorders_are_wanted(head, 5));
	recorders_extend(recorders, 10);
	recorders_extend(recorders, 7);
	cr_assert(recorders_are_wanted(head, 9));
	cr_assert_not(recorders_are_wanted(head, 10));
}

Test(recorders, readers_cannot_write_or_shorten)
{
	int fd = recorders_reader(recorders);
	struct stat status;

	cr_assert_neq(fd, -1);
	cr_assert_eq(
		mmap(NULL, RECORDERS_HEAD, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
	cr_assert_eq(ftruncate(fd, 0), -1);
	cr_assert_eq(fstat(fd, &status), 0);
	cr_assert_eq(status.st_mode & 0777, 0600);
	close(fd);
}

Test(recorders, none_is_no_error)
{
	cr_assert_eq(recorders_claim(NULL, 1), -1);
	cr_assert_null(recorders_map(NULL, -1, 1));
	recorders_bury(NULL, -1, 1);
	recorders_sweep(NULL, 0);
	recorders_extend(NULL, 0);
	cr_assert_null(recorders_head(NULL));
	cr_assert_not(recorders_are_wanted(NULL, 0));
	cr_assert_eq(recorders_reader(NULL), -1);
	recorders_free(NULL);
}
