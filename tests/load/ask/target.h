/* Which address of a target's name is loaded, and what to tell the user of a target that fails. */
#ifndef HUBBUB_LOAD_TARGET_H
#define HUBBUB_LOAD_TARGET_H

#include "tests/load/ask/load.h"

/* For each target that is a name with several addresses: the first address that answers becomes the
 * target, for all connections of the run. Addresses that do not answer are named on stderr. If none
 * answers, the first usable one stays, and the run reports the failure. Blocks, at most a second
 * for each address. */
void target_choose(struct load *load);

/* The name that the certificate of a target must have: its host; NULL for a Unix socket, which has
 * none. */
const char *target_tls_name(const struct load *load, unsigned index);

/* Why the last TLS handshake of this thread failed with that errno, in words, with a hint at the
 * cause. Valid until the thread's next call. */
const char *target_why_no_tls(int error);

/* A question to append to the message that connect(2) failed with that errno, such as whether the
 * server runs; empty if the errno suggests none. */
const char *target_hint(int error);

#endif
