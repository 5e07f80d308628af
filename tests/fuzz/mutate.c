/* Each change walks from the root down to a value, one byte of input a step, and replaces, removes
 * or repeats the value. The caller's document is never changed. */
#include "tests/fuzz/mutate.h"

#include <stdlib.h>
#include <string.h>

#include "hub/base/check.h"

enum { CHANGES_MAX = 8, DEPTH_MAX = 8 };

uint8_t
bytes_next(struct bytes *bytes)
{
	if (bytes->left == 0)
		return 0;
	bytes->left--;
	return *bytes->at++;
}

char *
bytes_text(struct bytes *bytes)
{
	size_t length = bytes_next(bytes);
	char *text;

	if (length > bytes->left)
		length = bytes->left;
	text = strndup((const char *)bytes->at, length);
	CHECK(text != NULL);
	bytes->at += length;
	bytes->left -= length;
	return text;
}

static json_t *
number(struct bytes *bytes)
{
	static const double odd[] = {
		0, -1, 1, 0.5, 1e-300, 1e300, -1e300, 9007199254740993.0, 4294967296.0, 65536};
	static const json_int_t whole[] = {0, -1, 1, INT64_MAX, INT64_MIN, UINT32_MAX, INT32_MAX};
	unsigned which = bytes_next(bytes);

	return which & 1 ? json_real(odd[which / 2 % (sizeof odd / sizeof odd[0])])
			 : json_integer(whole[which / 2 % (sizeof whole / sizeof whole[0])]);
}

/* Returns the new value, or NULL to remove the old one. */
static json_t *
new_value(const json_t *old, struct bytes *bytes)
{
	char *text;
	json_t *value;

	switch (bytes_next(bytes) % 9) {
	case 0:
		return NULL;
	case 1:
		return json_null();
	case 2:
		return json_boolean(bytes_next(bytes) & 1);
	case 3:
	case 4:
		return number(bytes);
	case 5:
		return json_array();
	case 6:
		return json_object();
	case 7:
		return json_pack("[O, O]", old, old);
	default:
		text = bytes_text(bytes);
		value = json_string(text);
		free(text);
		return value != NULL ? value : json_string("");
	}
}

static void
change_in_object(json_t *object, const char *key, json_t *value)
{
	if (value == NULL)
		json_object_del(object, key);
	else
		json_object_set_new(object, key, value);
}

static void
change_in_array(json_t *array, size_t index, json_t *value)
{
	if (value == NULL)
		json_array_remove(array, index);
	else
		json_array_set_new(array, index, value);
}

/* Changes one value, which it finds by a byte for each step down. */
static void
change_one(json_t *at, struct bytes *bytes)
{
	for (int depth = 0; depth < DEPTH_MAX; depth++) {
		size_t size = json_is_array(at) ? json_array_size(at) : json_object_size(at);
		size_t index = size > 0 ? bytes_next(bytes) % size : 0;
		const char *key = NULL;
		json_t *child;

		if (size == 0)
			return;
		if (json_is_array(at)) {
			child = json_array_get(at, index);
		} else {
			void *iterator = json_object_iter(at);

			while (index-- > 0)
				iterator = json_object_iter_next(at, iterator);
			key = json_object_iter_key(iterator);
			child = json_object_iter_value(iterator);
			index = 0;
		}
		if ((json_is_array(child) || json_is_object(child)) && bytes_next(bytes) % 4 != 0) {
			at = child;
			continue;
		}
		if (key != NULL)
			change_in_object(at, key, new_value(child, bytes));
		else
			change_in_array(at, index, new_value(child, bytes));
		return;
	}
}

json_t *
mutate_json(const json_t *document, struct bytes *bytes)
{
	json_t *copy = json_deep_copy(document);

	CHECK(copy != NULL);
	for (int i = 0; i < CHANGES_MAX && bytes->left > 0; i++)
		change_one(copy, bytes);
	return copy;
}
