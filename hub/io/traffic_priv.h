/* What the calls of hub/io tell: bytes that have gone over a descriptor itself, not over its
 * layer. */
#ifndef HUBBUB_IO_TRAFFIC_PRIV_H
#define HUBBUB_IO_TRAFFIC_PRIV_H

#include <stddef.h>

#include "hub/io/entry_priv.h"
#include "hub/io/traffic.h"

static inline void
fd_carry_in(struct hub_fd *entry, size_t bytes)
{
	struct traffic *traffic = entry->read.data;

	if (__builtin_expect(traffic != NULL, 0))
		traffic->received += bytes;
}

static inline void
fd_carry_out(struct hub_fd *entry, size_t bytes)
{
	struct traffic *traffic = entry->read.data;

	if (__builtin_expect(traffic != NULL, 0))
		traffic->sent += bytes;
}

#endif
