/* Which address of a target's name is loaded. */
#ifndef HUBBUB_LOAD_TARGET_H
#define HUBBUB_LOAD_TARGET_H

#include "tests/load/ask/load.h"

/* Of a name with several addresses the first one that answers becomes the target, for all
 * connections of the run; those that do not are named on stderr. If none answers, the first stays
 * it, and the run says so. */
void target_choose(struct load *load);

/* What the last TLS handshake of this thread failed of, with that error, in words, and what may be
 * wrong; valid until the next call. */
const char *target_why_no_tls(int error);

/* What to ask of a server that connect(2) failed to reach with that error, to be put behind it;
 * empty if there is nothing to ask. */
const char *target_hint(int error);

#endif
