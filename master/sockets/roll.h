/* The roll: which seats are members of the kernel's group, in its order (sockets.h), in memory
 * that outlives the master that writes it, so that another one can go on steering. One master
 * writes at a time, the one that owns the server. */
#ifndef HUBBUB_SOCKETS_ROLL_H
#define HUBBUB_SOCKETS_ROLL_H

struct roll;

/* Makes one, empty. *fd names it, and is the caller's. NULL with errno. */
struct roll *roll_new(int *fd);

/* Maps the one of another master. NULL with errno. */
struct roll *roll_map(int fd);

/* Unmaps it and nulls the pointer. A NULL pointer is ignored. */
void roll_free(struct roll **roll);

/* Writes all of it, at most STEERING_MEMBERS_MAX. A writer that dies leaves what was there, or all
 * of the new. */
void roll_write(struct roll *roll, const unsigned *order, unsigned count);

/* Reads all of it into order, which has room for STEERING_MEMBERS_MAX. Returns how many there
 * are. */
unsigned roll_read(const struct roll *roll, unsigned *order);

#endif
