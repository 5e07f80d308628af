/* Records of messages that are due or in flight, in one array per thread, linked by index into
 * fifos. What a message is, is kept here and not in its payload, which the server may damage. */
#ifndef HUBBUB_LOAD_FLIGHT_H
#define HUBBUB_LOAD_FLIGHT_H

#include <stdbool.h>
#include <stdint.h>

#define FLIGHTS_MAX (4 * 1024 * 1024) /* per thread: 128 MiB */
#define FLIGHT_NONE UINT32_MAX

struct flight {
	int64_t intended; /* clock at which the message was due */
	int64_t sent;     /* clock at which its first byte went to the kernel */
	uint64_t ticket;  /* its number among the messages of the run; 0 if it is for an echo */
	uint32_t length;  /* bytes; 0: answered, by a datagram that overtook others */
	uint32_t next;    /* in its fifo, or among the spare; FLIGHT_NONE: the last */
};

struct flights {
	struct flight *items;
	uint32_t room;  /* items allocated */
	uint32_t used;  /* items from here on were never used */
	uint32_t spare; /* first spare item; FLIGHT_NONE: there is none */
};

/* A first-in first-out list of records; an empty one has count 0, whatever its other fields are. */
struct fifo {
	uint32_t first;
	uint32_t last;
	uint32_t count;
};

/* Begins without records. flights_free frees all of them. */
void flights_init(struct flights *flights);
void flights_free(struct flights *flights);

/* Appends a new record. Returns false if there are FLIGHTS_MAX, or no memory. */
bool flights_push(struct flights *flights, struct fifo *fifo, int64_t intended, uint32_t length);

/* Moves the first record of from, which is not empty, to the end of to. */
void flights_move(struct flights *flights, struct fifo *from, struct fifo *to);

/* Frees the first record, or all. */
void flights_pop(struct flights *flights, struct fifo *fifo);
void flights_clear(struct flights *flights, struct fifo *fifo);

#endif
