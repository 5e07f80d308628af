/* Sessions that go on: tickets whose keys (tickets.h) outlast a struct hub_tls, for servers that
 * read their certificate again, or run in several processes. Without this, a struct hub_tls has
 * keys of its own, for as long as it lives. None of this switches; before threads or processes that
 * use the struct are started. */
#ifndef HUBBUB_IO_RESUMPTION_H
#define HUBBUB_IO_RESUMPTION_H

#include <stdbool.h>
#include <stdint.h>

#include "hub/base/inside.h"

struct hub_tls;

/* Lets a server's clients resume sessions for so many nanoseconds, with new keys; 0: not at all.
 * Returns 0, also for NULL, or -1 with errno. */
int resumption_begin(struct hub_tls *tls, int64_t lifetime) HUB_INSIDE(resumption_begin);

/* Goes on with the keys of another one, if both resume and have the same certificate. */
void resumption_keep(struct hub_tls *tls, const struct hub_tls *former) HUB_INSIDE(resumption_keep);

/* The same with those of another process, by their file, which it owns. */
void resumption_inherit(struct hub_tls *tls, int file) HUB_INSIDE(resumption_inherit);

/* The file of the keys, which stays theirs; -1 if tls is NULL or has none. */
int resumption_file(const struct hub_tls *tls) HUB_INSIDE(resumption_file);

/* Changes keys that are as old as the lifetime; NULL is ignored. At any time, in the process that
 * owns the server. */
void resumption_rotate(struct hub_tls *tls) HUB_INSIDE(resumption_rotate);

#endif
