/* The keys of TLS session tickets, in memory that processes share: a session that one process has
 * begun is resumed by any other. One key encrypts; the one before it is still accepted, so a ticket
 * lasts for at least the time between two rotations. The keys are never on disk: the memory is
 * locked, if that is allowed, and left out of core dumps.
 *
 * One process at a time rotates; all others read, and see the keys before or after a rotation, even
 * one during which the writer died. */
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

/* Makes keys for the certificate with that digest. NULL with errno, EIO if there are no random
 * bytes. */
struct tickets *tickets_new(const unsigned char identity[static TICKETS_IDENTITY_SIZE]);

/* Maps the keys of another process; the result owns fd, and on failure the caller still does. NULL
 * with errno, EPROTO if the memory has another format, or is for another certificate. */
struct tickets *tickets_map(int fd, const unsigned char identity[static TICKETS_IDENTITY_SIZE]);

/* tickets_share adds an owner; tickets_free removes one, and frees the keys with the last.
 * tickets_free ignores NULL. Thread: any. */
struct tickets *tickets_share(struct tickets *tickets);
void tickets_free(struct tickets *tickets);

/* Whether the keys are for the certificate with that digest. */
bool tickets_are_of(
	const struct tickets *tickets, const unsigned char identity[static TICKETS_IDENTITY_SIZE]);

/* The fd of the memory, for another process; the keys still own it. */
int tickets_file(const struct tickets *tickets);

/* Makes a new key if the present one is `age` nanoseconds old or older; the key before it is wiped.
 * Call it in the process that owns the server. Returns whether it made a key. */
bool tickets_rotate(struct tickets *tickets, int64_t age);

/* Copies the key that encrypts. The caller wipes the copy. Returns false if it is all zeros, as
 * only a stray write can make it: under such a key anybody could make a ticket. Thread: any. */
bool tickets_newest(const struct tickets *tickets, struct ticket_key *key);

/* Copies the key of that name, and tells whether it is the newest. Returns false if there is none,
 * or if it is too old. The caller wipes the copy. Thread: any. */
bool tickets_find(const struct tickets *tickets, const unsigned char name[static TICKETS_NAME_SIZE],
	struct ticket_key *key, bool *is_newest);

#endif
