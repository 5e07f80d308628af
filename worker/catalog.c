/* counted.h expanded into one array. A static assertion for each way in which the table and struct
 * worker_row could disagree: a counter without a row, a row without room, closed before opened. */
#include "worker/catalog.h"

#include <stddef.h>
#include <string.h>

#define PLACE(field)                                                                               \
	((offsetof(struct worker_row, field) - offsetof(struct worker_row, counts)) /              \
		sizeof(uint64_t))
#define ROW(path, of_server, field, kind, ...)                                                     \
	[COUNTED_##field] = {#field, CATALOG_##kind, __VA_ARGS__, of_server, PLACE(path)},
#define SERVER_ROW(field, ...) ROW(field, true, field, __VA_ARGS__)
#define HUB_ROW(field, ...) ROW(hub.field, false, field, __VA_ARGS__)
#define WORKER_ROW(field, ...) ROW(field, false, field, __VA_ARGS__)

const struct catalog_entry catalog[COUNTED_MAX] = {COUNTED(SERVER_ROW, HUB_ROW, WORKER_ROW)};

/* Until 0.2. */
static const struct {
	const char *metric;
	const char *former;
} renamed[] = {{"handed_off_total", "handed_total"}, {"stalls_total", "late_total"}};

const char *
catalog_former_name(const char *metric)
{
	for (size_t i = 0; i < sizeof renamed / sizeof renamed[0]; i++)
		if (strcmp(renamed[i].metric, metric) == 0)
			return renamed[i].former;
	return NULL;
}

#define ONE(...) +1
#define NONE(...)
_Static_assert(sizeof(struct hub_counters) == sizeof(uint64_t) * (1 COUNTED(NONE, ONE, NONE)),
	"all that a hub counts, busy_since apart, has a row");
_Static_assert(
	sizeof(struct hub_counters) / sizeof(uint64_t) + COUNTED(ONE, NONE, ONE) <= COUNTED_ROOM,
	"a row of counters has room for the table");
_Static_assert(COUNTED_closed > COUNTED_opened,
	"a reader from the last counter to the first sees nothing closed that was not opened");

uint64_t
catalog_count(const struct worker_row *row, enum counted_number number)
{
	return __atomic_load_n(&row->counts[catalog[number].place], __ATOMIC_RELAXED);
}

double
catalog_value(const struct worker_row *row, enum counted_number number)
{
	return (double)catalog_count(row, number) / (double)catalog[number].unit;
}
