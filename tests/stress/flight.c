/* A thread writes a ring of eight records while another one reads them, also those that are written
 * next: what is read is whole, and of the number that was asked for. */
#include "hub/base/flight.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define RECORDS 8
#define SIZE (FLIGHT_HEAD + RECORDS * sizeof(struct flight_record))
#define READS 500000

static atomic_bool is_over;

static void *
write_all(void *ring)
{
	struct flight flight;

	flight_open(&flight, ring, SIZE);
	for (uint64_t i = 0; !atomic_load_explicit(&is_over, memory_order_relaxed); i++)
		flight_put(&flight, FLIGHT_SENT, 3 * i, 5 * i, 7 * i);
	return NULL;
}

int
main(void)
{
	struct flight_ring *ring = calloc(1, SIZE);
	unsigned long found = 0, lost = 0, torn = 0;
	pthread_t writer;

	if (ring == NULL || pthread_create(&writer, NULL, write_all, ring) != 0)
		return 1;
	while (flight_written(ring) < RECORDS)
		continue;
	for (unsigned i = 0; i < READS; i++) {
		uint64_t number = flight_written(ring) - RECORDS + i % RECORDS;
		struct flight_record record;

		if (flight_read(ring, RECORDS, number, &record) != FLIGHT_FOUND) {
			lost++;
			continue;
		}
		found++;
		torn += record.time != 3 * number || record.who != 5 * number ||
			record.value != 7 * number;
	}
	atomic_store(&is_over, true);
	pthread_join(writer, NULL);
	free(ring);
	printf("%lu found, %lu lost, %lu torn\n", found, lost, torn);
	return torn > 0 || found == 0;
}
