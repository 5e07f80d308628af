/* Session resumption: tickets whose keys (tickets.h) outlast a struct hub_tls, for servers that
 * read their certificate again, or run in several processes. Without this, a struct hub_tls has
 * keys of its own, for as long as it lives. No function here switches; call them before threads or
 * processes that use the struct are started, except for resumption_rotate. */
#ifndef HUBBUB_IO_RESUMPTION_H
#define HUBBUB_IO_RESUMPTION_H

#include <stdbool.h>
#include <stdint.h>

#include "hub/base/inside.h"

struct hub_tls;

/* Lets a server's clients resume sessions for lifetime nanoseconds, with new keys; 0 forbids
 * resumption. NULL is ignored. Returns 0, or -1 with errno. */
int resumption_begin(struct hub_tls *tls, int64_t lifetime) HUB_INSIDE(resumption_begin);

/* Takes the keys of another struct, if both resume sessions, have the same certificate, and verify
 * clients by the same authorities. */
void resumption_keep(struct hub_tls *tls, const struct hub_tls *former) HUB_INSIDE(resumption_keep);

/* Takes the keys of another process, by their file, which tls then owns. */
void resumption_inherit(struct hub_tls *tls, int file) HUB_INSIDE(resumption_inherit);

/* The fd of the keys' memory, which the keys own; -1 if tls is NULL or has no keys. */
int resumption_file(const struct hub_tls *tls) HUB_INSIDE(resumption_file);

/* Replaces keys that are as old as the lifetime; NULL is ignored. May be called at any time, in the
 * process that owns the server. */
void resumption_rotate(struct hub_tls *tls) HUB_INSIDE(resumption_rotate);

#endif
