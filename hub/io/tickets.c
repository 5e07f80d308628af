/* The keys lie in memory that processes share, as two sets; the parity of a counter names the valid
 * one. A rotation writes the other set, increments the counter, and wipes the former set. A reader
 * that copied a set while the counter changed copies again. Words are atomic, since a copy and a
 * wipe may overlap. */
#include "hub/io/tickets.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "hub/base/check.h"
#include "hub/base/clock.h"
#include "hub/base/kernel.h"
#include "hub/base/memory.h"

#define MAGIC 0x746b7401u /* its last byte is the version */

enum { NEWEST, FORMER, KEYS };

#define SET_WORDS (KEYS * sizeof(struct ticket_key) / sizeof(uint64_t))

_Static_assert(sizeof(struct ticket_key) % sizeof(uint64_t) == 0, "keys are copied by words");

struct shared {
	uint32_t magic;
	unsigned char identity[TICKETS_IDENTITY_SIZE];
	int64_t rotated; /* hub_now at the last rotation; only the rotating process uses it */
	/* Rotations so far; turn % 2 is the valid set. */
	uint64_t turn;
	uint64_t sets[2][SET_WORDS];
};

struct tickets {
	struct shared *shared;
	int file;
	unsigned owners;
};

/* ---- sets ---- */

/* Stores each word with release: a reader that gets a word of a set which is not valid any more
 * also sees the new counter. */
static void
write_set(uint64_t *set, const struct ticket_key keys[static KEYS])
{
	uint64_t words[SET_WORDS];

	memcpy(words, keys, sizeof words);
	for (size_t i = 0; i < SET_WORDS; i++)
		__atomic_store_n(&set[i], words[i], __ATOMIC_RELEASE);
	OPENSSL_cleanse(words, sizeof words);
}

static void
wipe_set(uint64_t *set)
{
	for (size_t i = 0; i < SET_WORDS; i++)
		__atomic_store_n(&set[i], 0, __ATOMIC_RELEASE);
}

/* The name in a key that was wiped, or not made yet. */
static const unsigned char nobody[TICKETS_NAME_SIZE];

static void
read_keys(const struct shared *shared, struct ticket_key keys[static KEYS])
{
	uint64_t words[SET_WORDS], turn;

	do {
		turn = __atomic_load_n(&shared->turn, __ATOMIC_ACQUIRE);
		for (size_t i = 0; i < SET_WORDS; i++)
			words[i] = __atomic_load_n(&shared->sets[turn % 2][i], __ATOMIC_ACQUIRE);
	} while (__atomic_load_n(&shared->turn, __ATOMIC_RELAXED) != turn);
	memcpy(keys, words, sizeof words);
	OPENSSL_cleanse(words, sizeof words);
}

/* Makes a random key. Returns false if OpenSSL has no random bytes. */
static bool
make_key(struct ticket_key *key)
{
	return RAND_bytes(key->name, sizeof key->name) == 1 &&
	       RAND_priv_bytes(key->cipher, sizeof key->cipher) == 1 &&
	       RAND_priv_bytes(key->mac, sizeof key->mac) == 1;
}

bool
tickets_rotate(struct tickets *tickets, int64_t age)
{
	struct shared *shared = tickets->shared;
	struct ticket_key keys[KEYS], made;
	int64_t now = clock_now();
	bool is_made;

	if (now - shared->rotated < age)
		return false;
	is_made = make_key(&made);
	if (is_made) {
		uint64_t turn = shared->turn;

		read_keys(shared, keys);
		keys[FORMER] = keys[NEWEST];
		keys[NEWEST] = made;
		write_set(shared->sets[(turn + 1) % 2], keys);
		shared->rotated = now;
		__atomic_store_n(&shared->turn, turn + 1, __ATOMIC_RELEASE);
		wipe_set(shared->sets[turn % 2]);
		OPENSSL_cleanse(keys, sizeof keys);
	}
	OPENSSL_cleanse(&made, sizeof made);
	return is_made;
}

bool
tickets_newest(const struct tickets *tickets, struct ticket_key *key)
{
	struct ticket_key keys[KEYS];

	read_keys(tickets->shared, keys);
	*key = keys[NEWEST];
	OPENSSL_cleanse(keys, sizeof keys);
	return memcmp(key->name, nobody, sizeof nobody) != 0;
}

bool
tickets_find(const struct tickets *tickets, const unsigned char name[static TICKETS_NAME_SIZE],
	struct ticket_key *key, bool *is_newest)
{
	struct ticket_key keys[KEYS];
	int at = KEYS;

	read_keys(tickets->shared, keys);
	/* Before the first rotation the former key is all zeros, which match no name. */
	for (int i = KEYS - 1; i >= 0 && memcmp(name, nobody, sizeof nobody) != 0; i--)
		if (memcmp(keys[i].name, name, sizeof keys[i].name) == 0)
			at = i;
	if (at < KEYS)
		*key = keys[at];
	*is_newest = at == NEWEST;
	OPENSSL_cleanse(keys, sizeof keys);
	return at < KEYS;
}

/* ---- owners ---- */

/* Makes the record of mapped memory; shared NULL passes on the errno of a failed mapping. The keys
 * must not reach a disk; where locked memory is not allowed they may be swapped. */
static struct tickets *
wrap(struct shared *shared, int file)
{
	struct tickets *tickets = shared != NULL ? calloc(1, sizeof *tickets) : NULL;
	int error = shared != NULL ? ENOMEM : errno;

	if (tickets == NULL) {
		memory_free((void **)&shared, sizeof *shared);
		errno = error;
		return NULL;
	}
	kernel_madvise(shared, sizeof *shared, MADV_DONTDUMP);
	kernel_mlock(shared, sizeof *shared);
	*tickets = (struct tickets){shared, file, 1};
	return tickets;
}

struct tickets *
tickets_new(const unsigned char identity[static TICKETS_IDENTITY_SIZE])
{
	int file;
	struct shared *shared = memory_new("hubbub-tickets", sizeof *shared, &file);
	struct tickets *tickets = wrap(shared, file);
	struct ticket_key keys[KEYS] = {0};

	if (tickets == NULL) {
		if (file != -1)
			kernel_close(file);
		return NULL;
	}
	if (!make_key(&keys[NEWEST])) {
		tickets_free(tickets);
		errno = EIO;
		return NULL;
	}
	write_set(shared->sets[0], keys);
	OPENSSL_cleanse(keys, sizeof keys);
	memcpy(shared->identity, identity, sizeof shared->identity);
	shared->rotated = clock_now();
	shared->magic = MAGIC;
	return tickets;
}

struct tickets *
tickets_map(int fd, const unsigned char identity[static TICKETS_IDENTITY_SIZE])
{
	struct shared *shared = memory_map(fd, sizeof *shared);

	if (shared != NULL && (shared->magic != MAGIC || memcmp(shared->identity, identity,
								 sizeof shared->identity) != 0)) {
		memory_free((void **)&shared, sizeof *shared);
		errno = EPROTO;
	}
	return wrap(shared, fd);
}

struct tickets *
tickets_share(struct tickets *tickets)
{
	unsigned owners = __atomic_fetch_add(&tickets->owners, 1, __ATOMIC_RELAXED);

	CHECK(owners > 0);
	return tickets;
}

void
tickets_free(struct tickets *tickets)
{
	unsigned owners;

	if (tickets == NULL)
		return;
	owners = __atomic_fetch_sub(&tickets->owners, 1, __ATOMIC_ACQ_REL);
	CHECK(owners > 0);
	if (owners > 1)
		return;
	memory_free((void **)&tickets->shared, sizeof *tickets->shared);
	kernel_close(tickets->file);
	free(tickets);
}

bool
tickets_are_of(
	const struct tickets *tickets, const unsigned char identity[static TICKETS_IDENTITY_SIZE])
{
	return memcmp(tickets->shared->identity, identity, TICKETS_IDENTITY_SIZE) == 0;
}

int
tickets_file(const struct tickets *tickets)
{
	return tickets->file;
}
