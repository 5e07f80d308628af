/* The keys of TLS session tickets, in memory that processes share: a session that one of them has
 * begun is resumed by any other. One key encrypts; the one before it is still accepted, so that a
 * ticket lasts as long as there is between two rotations. Never on disk: the memory is locked,
 * where that is allowed, and left out of core dumps.
 *
 * One process at a time rotates; all read, and see the keys before or after a rotation, also one
 * that its writer did not survive. */
#ifndef HUBBUB_IO_TICKETS_H
#define HUBBUB_IO_TICKETS_H

#include <stdbool.h>
#include <stdint.h>

#define TICKETS_IDENTITY_SIZE 32
#define TICKETS_NAME_SIZE 16
#define TICKETS_KEY_SIZE 32

struct ticket_key {
	unsigned char name[TICKETS_NAME_SIZE]; /* begins each ticket */
	unsigned char cipher[TICKETS_KEY_SIZE];
	unsigned char mac[TICKETS_KEY_SIZE];
};

struct tickets;

/* Makes keys for the certificate of that identity. NULL with errno, EIO if there is nothing
 * random. */
struct tickets *tickets_new(const unsigned char identity[static TICKETS_IDENTITY_SIZE]);

/* Maps those of another process; owns the descriptor, unless it fails. NULL with errno, EPROTO if
 * they are not of this kind, or of another certificate. */
struct tickets *tickets_map(int fd, const unsigned char identity[static TICKETS_IDENTITY_SIZE]);

/* One more owner; tickets_free takes one away, and frees them with the last one. NULL is ignored
 * there. In any thread. */
struct tickets *tickets_share(struct tickets *tickets);
void tickets_free(struct tickets *tickets);

/* Whether they are those of that certificate. */
bool tickets_are_of(
	const struct tickets *tickets, const unsigned char identity[static TICKETS_IDENTITY_SIZE]);

/* What names them for another process; stays theirs. */
int tickets_file(const struct tickets *tickets);

/* Makes a new key if the present one is that old, in nanoseconds; the one before it is wiped. In
 * the process that owns the server. Returns whether it did. */
bool tickets_rotate(struct tickets *tickets, int64_t age);

/* The key that encrypts. The caller wipes it. In any thread. */
void tickets_newest(const struct tickets *tickets, struct ticket_key *key);

/* The key of that name, and whether it is the newest. Returns false if it is none, or too old. The
 * caller wipes it. In any thread. */
bool tickets_find(const struct tickets *tickets, const unsigned char name[static TICKETS_NAME_SIZE],
	struct ticket_key *key, bool *is_newest);

#endif
