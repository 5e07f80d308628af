/* Records in LMDB: the engine's calls on keys. */
#ifndef KV_RECORDS_H
#define KV_RECORDS_H

#include "store.h"

bool records_get(struct transaction *transaction, struct text key, struct text *value);
void records_put(
	struct transaction *transaction, struct text key, struct text value, uint64_t expires);
bool records_expire(struct transaction *transaction, struct text key, uint64_t expires);
bool records_delete(struct transaction *transaction, struct text key);
enum store_increment records_increment(
	struct transaction *transaction, struct text key, int64_t *number);

/* Deletes so many keys that have expired, at most; returns how many. */
size_t records_sweep(struct transaction *transaction, size_t most);

/* Whether there is a key that has expired. */
bool records_have_expired(struct transaction *transaction);

#endif
