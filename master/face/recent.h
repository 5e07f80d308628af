/* What a histogram has got lately: quantiles since a server's start hardly move any more after a
 * day. Whoever looks at the state keeps it up to date, so it costs nothing while nobody looks. */
#ifndef HUBBUB_FACE_RECENT_H
#define HUBBUB_FACE_RECENT_H

#include <stdint.h>

#include "worker/buckets.h"

/* Nanoseconds that `lately` is at least, if somebody has looked at its beginning; at most twice as
 * many, if somebody looks that often. */
#define RECENT_TIME INT64_C(10000000000)

/* A histogram of the server. */
struct recent_key {
	unsigned metric; /* its number in the catalog */
	uint32_t worker; /* RECENT_ALL, and any hub: of the whole server */
	uint32_t hub;
};

#define RECENT_ALL UINT32_MAX

/* Sets lately to what the histogram has got in about the last RECENT_TIME, or since the last look
 * if that is longer ago; all of it until RECENT_TIME after the first look, or without memory. now
 * is the clock, all what the histogram has by now. */
void recent_look(const struct recent_key *key, int64_t now, const struct buckets *all,
	struct buckets *lately);

/* Forgets all looks. */
void recent_forget(void);

#endif
