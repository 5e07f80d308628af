/* The end of a coroutine's local values (local.h). */
#ifndef HUBBUB_LOCAL_PRIV_H
#define HUBBUB_LOCAL_PRIV_H

#include "hub/local.h"

struct locals;

/* Destroys the values and frees the array; *locals is NULL afterwards. */
void locals_free(struct locals **locals);

#endif
