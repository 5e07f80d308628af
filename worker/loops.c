/* Two tables of a fixed size, both indexed by hash. answers has a hash of peer and bytes for each
 * recent answer; a new answer replaces an older one in the same place. So a loop is recognised
 * unless, while its datagram travels, another answer takes that place: with much fewer than ANSWERS
 * answers in that time, rarely. used_up has for each peer the time up to which its answers are used
 * up (a leaky bucket); peers that share a place share the limit. */
#include "worker/loops.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "hub/base/check.h"
#include "hub/base/clock.h"

#define ANSWERS 4096
#define PEERS 1024
/* Bytes hashed at each end of a datagram; the middle of a longer one is skipped. */
#define END_SIZE ((size_t)128)

struct loops {
	int64_t interval;          /* nanoseconds between two answers at the limit */
	uint64_t answers[ANSWERS]; /* hashes; 0 for none */
	int64_t used_up[PEERS];    /* nanoseconds */
};

struct loops *
loops_new(unsigned limit)
{
	struct loops *loops = calloc(1, sizeof *loops);

	if (loops == NULL)
		return NULL;
	loops->interval = CLOCK_SECOND / limit;
	CHECK_WHY(loops->interval > 0, "answers that take no time are never used up");
	return loops;
}

void
loops_free(struct loops *loops)
{
	free(loops);
}

/* ---- hashes ---- */

static uint64_t
mix(uint64_t hash, uint64_t word)
{
	unsigned __int128 product =
		(unsigned __int128)(hash ^ word ^ 0x9E3779B97F4A7C15u) * 0xD6E8FEB86659FD93u;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t
mix_bytes(uint64_t hash, const unsigned char *bytes, size_t length)
{
	uint64_t word;

	for (; length >= sizeof word; bytes += sizeof word, length -= sizeof word) {
		memcpy(&word, bytes, sizeof word);
		hash = mix(hash, word);
	}
	word = 0;
	memcpy(&word, bytes, length);
	return mix(hash, word);
}

/* A hash of address and port alone: the other fields may differ between datagrams of one peer. */
static uint64_t
hash_peer(const struct sockaddr_storage *address)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;

	if (address->ss_family == AF_INET6)
		return mix_bytes(v6->sin6_port, v6->sin6_addr.s6_addr, sizeof v6->sin6_addr);
	return mix(v4->sin_port, v4->sin_addr.s_addr);
}

static uint64_t
hash_datagram(uint64_t peer, const unsigned char *bytes, size_t length)
{
	uint64_t hash = mix(peer, length);

	if (length <= 2 * END_SIZE)
		return mix_bytes(hash, bytes, length);
	return mix_bytes(mix_bytes(hash, bytes, END_SIZE), bytes + length - END_SIZE, END_SIZE);
}

/* ---- the limit ---- */

bool
loops_admit(struct loops *loops, const struct sockaddr_storage *from, const void *bytes,
	size_t length, int64_t now)
{
	uint64_t peer = hash_peer(from), hash = hash_datagram(peer, bytes, length);
	int64_t *used_up = &loops->used_up[peer % PEERS];

	if (loops->answers[hash % ANSWERS] != hash)
		return true;
	if (*used_up < now)
		*used_up = now;
	if (*used_up - now >= LOOPS_FIRST * loops->interval)
		return false;
	*used_up += loops->interval;
	CHECK_WHY(*used_up - now <= LOOPS_FIRST * loops->interval + loops->interval,
		"a peer that pauses for so long is answered again");
	return true;
}

void
loops_note(struct loops *loops, const struct sockaddr_storage *to, const void *bytes, size_t length)
{
	uint64_t hash = hash_datagram(hash_peer(to), bytes, length);

	loops->answers[hash % ANSWERS] = hash;
}
