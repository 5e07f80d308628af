/* Rings of flight recorders: names, texts, and the readers' end. The order of loads and stores is
 * explained in flight.h. */
#include "hub/base/flight.h"

#include <stdio.h>
#include <string.h>

#include "hub/base/check.h"

static const struct flight_record *
records_of(const struct flight_ring *ring)
{
	return (const struct flight_record *)(const void *)((const char *)ring + FLIGHT_HEAD);
}

uint32_t
flight_records(size_t size)
{
	size_t most = size > FLIGHT_HEAD ? (size - FLIGHT_HEAD) / sizeof(struct flight_record) : 0;
	uint32_t records = most > 0;

	while (records != 0 && (size_t)records * 2 <= most && records < 1U << 30)
		records *= 2;
	return records;
}

void
flight_open(struct flight *flight, struct flight_ring *ring, size_t size)
{
	static const char *const given[FLIGHT_GIVEN] = {
		[FLIGHT_OTHER] = "other",
		[FLIGHT_LOOP] = "loop",
		[FLIGHT_YIELD] = "yield",
		[FLIGHT_RETURN] = "end",
		[FLIGHT_DIRECT] = "switch",
	};
	uint32_t records = flight_records(size);

	CHECK_WHY(records > 0, "a ring without records");
	*flight = (struct flight){.ring = ring,
		.records = (struct flight_record *)(uintptr_t)records_of(ring),
		.mask = records - 1,
		.written = flight_written(ring)};
	ring->records = records;
	for (uint32_t i = 0; i < FLIGHT_GIVEN; i++)
		if (flight_name(flight, NULL, given[i]) != i)
			break; /* It has them already. */
}

void
flight_put_text(struct flight *flight, uint64_t time, uint64_t who, const char *text, size_t length)
{
	flight_put(flight, FLIGHT_LOG, time, who, length);
	for (size_t done = 0; done < length; done += FLIGHT_TEXT_SIZE) {
		size_t left = length - done;
		uint64_t words[3] = {0};

		memcpy(words, text + done, left < FLIGHT_TEXT_SIZE ? left : FLIGHT_TEXT_SIZE);
		flight_put(flight, FLIGHT_TEXT, words[0], words[1], words[2]);
	}
}

/* ---- names ---- */

uint32_t
flight_name(struct flight *flight, const void *address, const char *text)
{
	struct flight_ring *ring = flight->ring;
	uint32_t count = __atomic_load_n(&ring->named, __ATOMIC_RELAXED);
	struct flight_name *name;

	for (uint32_t i = 0; i < count && i < FLIGHT_NAMES; i++) {
		name = &ring->names[i];
		if (address != NULL ? name->address == (uintptr_t)address
				    : name->address == 0 &&
					      strncmp(name->text, text, sizeof name->text - 1) == 0)
			return i;
	}
	if (count >= FLIGHT_NAMES)
		return FLIGHT_OTHER;
	name = &ring->names[count];
	__atomic_store_n(&name->address, (uintptr_t)address, __ATOMIC_RELAXED);
	if (text != NULL)
		flight_set_name(ring, count, text);
	__atomic_store_n(&ring->named, count + 1, __ATOMIC_RELEASE);
	return count;
}

void
flight_set_name(struct flight_ring *ring, uint32_t index, const char *text)
{
	struct flight_name *name = &ring->names[index];

	snprintf(name->text, sizeof name->text, "%s", text);
	__atomic_store_n(&name->is_named, 1, __ATOMIC_RELEASE);
}

void
flight_read_name(const struct flight_ring *ring, uint32_t index, char text[static FLIGHT_NAME_SIZE])
{
	const struct flight_name *name = &ring->names[index % FLIGHT_NAMES];

	if (index >= __atomic_load_n(&ring->named, __ATOMIC_ACQUIRE))
		name = &ring->names[FLIGHT_OTHER];
	if (__atomic_load_n(&name->is_named, __ATOMIC_ACQUIRE) != 0)
		snprintf(text, FLIGHT_NAME_SIZE, "%.*s", FLIGHT_NAME_SIZE - 1, name->text);
	else
		snprintf(text, FLIGHT_NAME_SIZE, "0x%llx",
			(unsigned long long)__atomic_load_n(&name->address, __ATOMIC_RELAXED));
}

/* ---- reading ---- */

uint64_t
flight_written(const struct flight_ring *ring)
{
	return __atomic_load_n(&ring->written, __ATOMIC_ACQUIRE);
}

enum flight_found
flight_read(const struct flight_ring *ring, uint32_t records, uint64_t number,
	struct flight_record *record)
{
	const struct flight_record *at = &records_of(ring)[number & (records - 1)];

	if (number >= flight_written(ring))
		return FLIGHT_NOT_YET;
	record->mark = __atomic_load_n(&at->mark, __ATOMIC_ACQUIRE);
	record->time = __atomic_load_n(&at->time, __ATOMIC_ACQUIRE);
	record->who = __atomic_load_n(&at->who, __ATOMIC_ACQUIRE);
	record->value = __atomic_load_n(&at->value, __ATOMIC_ACQUIRE);
	if (record->mark >> 8 != number + 1 ||
		__atomic_load_n(&at->mark, __ATOMIC_RELAXED) != record->mark)
		return FLIGHT_LOST;
	return FLIGHT_FOUND;
}
