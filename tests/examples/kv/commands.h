/* The commands: PING, GET, MGET, SET, DEL, INCR, EXPIRE and INFO, as Redis has them. */
#ifndef KV_COMMANDS_H
#define KV_COMMANDS_H

#include <stdbool.h>

#include "resp.h"
#include "store.h"

/* Whether it may change the store, and so needs a transaction that writes. */
bool command_writes(const struct request *request);

/* Runs a request, and adds its reply; without memory, or if it is too long, an error instead. If
 * the store fails, transaction->error is set, and the reply is to be left out. */
void command_run(struct request *request, struct transaction *transaction, struct bytes *reply);

#endif
