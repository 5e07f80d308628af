/* The sockets in the document of a handover (handover.h): their addresses, with the names of their
 * listeners, and the file descriptors of all seats. */
#ifndef HUBBUB_CHANGE_HANDOVER_SOCKETS_H
#define HUBBUB_CHANGE_HANDOVER_SOCKETS_H

#include <jansson.h>

#include "master/master.h"

/* Each returns a reference that the caller owns; NULL if out of memory. */
json_t *handover_addresses_json(const struct sockets *sockets);
json_t *handover_seats_json(const struct sockets *sockets);
json_t *handover_listen_json(const struct options *options); /* the texts of --listen, as given */

/* Takes the sockets of the document over. Returns 0, or -1 after logging. */
int handover_inherit_sockets(struct master *master, const json_t *object);

/* Reading the document: a number; 0 without such a key. */
int handover_integer(const json_t *object, const char *key);

/* An older release writes no such keys: then the identity is that of no file. */
struct path_identity handover_identity(const json_t *object, const char *device, const char *inode);

/* Closes fd on the next exec again; -1 is ignored. Returns fd. */
int handover_descriptor(int fd);

#endif
