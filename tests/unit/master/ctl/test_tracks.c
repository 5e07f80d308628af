#include "master/ctl/tracks.h"

#include <criterion/criterion.h>
#include <sys/mman.h>
#include <unistd.h>

#define SIZE ((size_t)64 * 1024)

static struct recorders *recorders;
static struct tracks tracks;
static struct flight flight;
static struct flight_ring *ring;

/* The ring of a process that records. */
static void
claim(void)
{
	int first = recorders_claim(recorders, 1);

	ring = recorders_map(recorders, first, 1);
	ring->pid = 77;
	flight_open(&flight, ring, recorders_head(recorders)->ring_size);
}

static void
put(uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		flight_put(&flight, FLIGHT_SENT, i, 0, i);
}

static void
begin(void)
{
	recorders = recorders_new(SIZE);
	tracks = (struct tracks){.most = 100000};
	claim();
}

static void
end(void)
{
	tracks_free(&tracks);
	recorders_free(recorders);
}

TestSuite(tracks, .init = begin, .fini = end);

static const struct track *
only(void)
{
	cr_assert_eq(tracks.count, 1);
	return tracks.items[0];
}

Test(tracks, have_what_comes)
{
	put(3);
	cr_assert_null(tracks_add(&tracks, recorders_reader(recorders), false));
	put(2);
	cr_assert(tracks_read(&tracks));
	put(2);
	cr_assert(tracks_read(&tracks));
	cr_assert_eq(only()->count, 4);
	cr_assert_eq(only()->pid, 77);
	cr_assert_eq(only()->lost, 0);
}

Test(tracks, have_the_past_and_count_what_is_gone)
{
	uint32_t room = flight_records(recorders_head(recorders)->ring_size);

	put(room + 5);
	cr_assert_null(tracks_add(&tracks, recorders_reader(recorders), true));
	cr_assert(tracks_read(&tracks));
	cr_assert_eq(only()->count, room);
	cr_assert_eq(only()->lost, 5);
}

Test(tracks, go_on_with_another_process_and_know_the_dead)
{
	cr_assert_null(tracks_add(&tracks, recorders_reader(recorders), false));
	put(3);
	recorders_bury(recorders, 0, 1);
	claim();
	put(4);
	cr_assert(tracks_read(&tracks));
	cr_assert_eq(tracks.count, 2);
	cr_assert_eq(tracks.taken, 7);
	cr_assert_neq((*tracks.items)->died, 0);
}

Test(tracks, have_a_limit)
{
	tracks.most = 2;
	cr_assert_null(tracks_add(&tracks, recorders_reader(recorders), false));
	put(3);
	cr_assert(tracks_read(&tracks));
	cr_assert_eq(tracks.taken, 2);
	cr_assert(tracks.is_full);
}

Test(tracks, are_of_no_other_file)
{
	int fd = memfd_create("other", MFD_CLOEXEC);

	cr_assert_eq(ftruncate(fd, (off_t)RECORDERS_HEAD), 0);
	cr_assert_not_null(tracks_add(&tracks, fd, false));
	cr_assert_not_null(tracks_add(&tracks, memfd_create("short", MFD_CLOEXEC), false));
	cr_assert_null(tracks_add(&tracks, recorders_reader(recorders), false));
	cr_assert_null(tracks_add(&tracks, recorders_reader(recorders), false));
	cr_assert_eq(tracks.source_count, 1);
}
