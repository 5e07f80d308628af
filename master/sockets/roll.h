/* The roll: the seats that are members of the kernel's group, in the sequence of their indexes
 * there (sockets.h). It lies in shared memory that outlives the master that writes it, so that the
 * next master can go on steering. Only the master that owns the server writes. */
#ifndef HUBBUB_SOCKETS_ROLL_H
#define HUBBUB_SOCKETS_ROLL_H

struct roll;

/* Makes an empty roll. *fd gets the memfd behind it, which the caller owns. NULL with errno. */
struct roll *roll_new(int *fd);

/* Maps the roll of another master, by its memfd. NULL with errno; EPROTO if it has another size. */
struct roll *roll_map(int fd);

/* Unmaps the roll and nulls the pointer. *roll may be NULL. */
void roll_free(struct roll **roll);

/* Replaces the whole roll, at most STEERING_MEMBERS_MAX seats. If the writer dies meanwhile,
 * readers see either all of the old roll or all of the new one. */
void roll_write(struct roll *roll, const unsigned *order, unsigned count);

/* Copies the roll to order, which has room for STEERING_MEMBERS_MAX seats. Returns the number of
 * seats. */
unsigned roll_read(const struct roll *roll, unsigned *order);

#endif
