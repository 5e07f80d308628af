#ifndef HUBBUB_SYNC_LOCAL_PRIV_H
#define HUBBUB_SYNC_LOCAL_PRIV_H

#include "hub/sync/local.h"

struct locals;

/* Destroys the values and frees; *locals is NULL afterwards. */
void locals_free(struct locals **locals);

#endif
