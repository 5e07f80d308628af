/* What lies in the store. A record has the time at which it expires before its value; a second
 * table has these times in order, so that whatever has expired is found without a search:
 *
 *	keys:		"name" -> 1700000000000 "value"
 *	expiries:	1700000000000 "name" -> "" */
#include "records.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "lmdb.h"

#define TIME_LENGTH sizeof(uint64_t)

/* Keeps an error; "not found" is none. Returns whether the call has succeeded. */
static bool
has_succeeded(struct transaction *transaction, int error)
{
	if (error != 0 && error != MDB_NOTFOUND)
		transaction->error = error;
	return error == 0;
}

static MDB_val
value_of(struct text text)
{
	return (MDB_val){text.length, (void *)text.bytes};
}

/* A key of the table of expiries. */
struct expiry {
	char bytes[TIME_LENGTH + STORE_KEY_MOST];
	MDB_val value;
};

static void
make_expiry(struct expiry *expiry, struct text key, uint64_t expires)
{
	uint64_t time = htobe64(expires); /* so that bytes are sorted as times are */

	memcpy(expiry->bytes, &time, TIME_LENGTH);
	memcpy(expiry->bytes + TIME_LENGTH, key.bytes, key.length);
	expiry->value = (MDB_val){TIME_LENGTH + key.length, expiry->bytes};
}

static void
forget_expiry(struct transaction *transaction, struct text key, uint64_t expires)
{
	struct expiry expiry;

	if (expires == 0)
		return;
	make_expiry(&expiry, key, expires);
	has_succeeded(
		transaction, mdb_del(transaction->handle, lmdb.expiries, &expiry.value, NULL));
}

static void
note_expiry(struct transaction *transaction, struct text key, uint64_t expires)
{
	struct expiry expiry;
	MDB_val nothing = {0, ""};

	if (expires == 0)
		return;
	make_expiry(&expiry, key, expires);
	has_succeeded(transaction,
		mdb_put(transaction->handle, lmdb.expiries, &expiry.value, &nothing, 0));
}

/* Finds also what has expired and was not swept up. */
static bool
find(struct transaction *transaction, struct text key, struct text *value, uint64_t *expires)
{
	MDB_val name = value_of(key), record;

	if (transaction->error != 0 ||
		!has_succeeded(
			transaction, mdb_get(transaction->handle, lmdb.keys, &name, &record)))
		return false;
	memcpy(expires, record.mv_data, TIME_LENGTH);
	*value = (struct text){(char *)record.mv_data + TIME_LENGTH, record.mv_size - TIME_LENGTH};
	return true;
}

/* Finds what has not expired. */
static bool
find_valid(struct transaction *transaction, struct text key, struct text *value, uint64_t *expires)
{
	return find(transaction, key, value, expires) &&
	       (*expires == 0 || *expires > transaction->now);
}

bool
records_get(struct transaction *transaction, struct text key, struct text *value)
{
	uint64_t expires;

	return find_valid(transaction, key, value, &expires);
}

void
records_put(struct transaction *transaction, struct text key, struct text value, uint64_t expires)
{
	MDB_val name = value_of(key), record = {TIME_LENGTH + value.length, NULL};
	struct text former;
	uint64_t former_expires;

	if (find(transaction, key, &former, &former_expires))
		forget_expiry(transaction, key, former_expires);
	if (transaction->error != 0 ||
		!has_succeeded(transaction,
			mdb_put(transaction->handle, lmdb.keys, &name, &record, MDB_RESERVE)))
		return;
	memcpy(record.mv_data, &expires, TIME_LENGTH);
	memcpy((char *)record.mv_data + TIME_LENGTH, value.bytes, value.length);
	note_expiry(transaction, key, expires);
}

bool
records_expire(struct transaction *transaction, struct text key, uint64_t expires)
{
	struct text value;
	uint64_t former_expires;
	char *copy;

	if (!find_valid(transaction, key, &value, &former_expires))
		return false;
	copy = malloc(value.length + 1);
	if (copy == NULL) {
		transaction->error = ENOMEM;
		return false;
	}
	memcpy(copy, value.bytes, value.length);
	records_put(transaction, key, (struct text){copy, value.length}, expires);
	free(copy);
	return true;
}

bool
records_delete(struct transaction *transaction, struct text key)
{
	MDB_val name = value_of(key);
	struct text former;
	uint64_t expires;

	if (!find(transaction, key, &former, &expires))
		return false;
	forget_expiry(transaction, key, expires);
	if (transaction->error != 0 ||
		!has_succeeded(transaction, mdb_del(transaction->handle, lmdb.keys, &name, NULL)))
		return false;
	return expires == 0 || expires > transaction->now;
}

enum store_increment
records_increment(struct transaction *transaction, struct text key, int64_t *number)
{
	enum store_increment outcome = STORE_INCREMENTED;
	struct text value;
	uint64_t expires = 0;
	char digits[24];

	*number = 1;
	if (find_valid(transaction, key, &value, &expires))
		outcome = engine_increment(value, number);
	else
		expires = 0;
	if (outcome != STORE_INCREMENTED)
		return outcome;
	value = (struct text){digits, (size_t)sprintf(digits, "%" PRId64, *number)};
	records_put(transaction, key, value, expires);
	return STORE_INCREMENTED;
}

/* Finds the key that expires first, if it has. */
static bool
find_expired(struct transaction *transaction, MDB_val *expiry)
{
	MDB_cursor *cursor;
	MDB_val nothing;
	uint64_t time;
	bool is_found;

	if (transaction->error != 0 ||
		!has_succeeded(
			transaction, mdb_cursor_open(transaction->handle, lmdb.expiries, &cursor)))
		return false;
	is_found = has_succeeded(transaction, mdb_cursor_get(cursor, expiry, &nothing, MDB_FIRST));
	mdb_cursor_close(cursor);
	if (!is_found)
		return false;
	memcpy(&time, expiry->mv_data, TIME_LENGTH);
	return be64toh(time) <= transaction->now;
}

bool
records_have_expired(struct transaction *transaction)
{
	MDB_val expiry;

	return find_expired(transaction, &expiry);
}

size_t
records_sweep(struct transaction *transaction, size_t most)
{
	char copy[STORE_KEY_MOST];
	size_t swept = 0;
	MDB_val expiry;

	while (swept < most && find_expired(transaction, &expiry)) {
		struct text key = {copy, expiry.mv_size - TIME_LENGTH};

		memcpy(copy, (char *)expiry.mv_data + TIME_LENGTH, key.length);
		records_delete(transaction, key);
		swept++;
	}
	return swept;
}
