/* Messages on their way: small records in one array per thread, linked by index. */
#ifndef HUBBUB_LOAD_FLIGHT_H
#define HUBBUB_LOAD_FLIGHT_H

#include <stdbool.h>
#include <stdint.h>

#define FLIGHTS_MAX (4 * 1024 * 1024) /* per thread: 96 MiB */
#define FLIGHT_NONE UINT32_MAX

struct flight {
	int64_t intended; /* clock */
	int64_t sent;     /* clock, when its first byte went to the kernel */
	uint32_t length;
	uint32_t next;
};

struct flights {
	struct flight *items;
	uint32_t room;
	uint32_t used;  /* items beyond it were never used */
	uint32_t spare; /* first of those given back */
};

/* First in, first out. {.first = FLIGHT_NONE} is empty. */
struct fifo {
	uint32_t first;
	uint32_t last;
	uint32_t count;
};

void flights_init(struct flights *flights);
void flights_free(struct flights *flights);

/* Appends a new record. Returns false if there are too many or no memory. */
bool flights_push(struct flights *flights, struct fifo *fifo, int64_t intended, uint32_t length);

/* Moves the first of one to the end of the other. */
void flights_move(struct flights *flights, struct fifo *from, struct fifo *to);

/* Gives back the first, or all. */
void flights_pop(struct flights *flights, struct fifo *fifo);
void flights_clear(struct flights *flights, struct fifo *fifo);

#endif
