/* Results that are not what they should be: read, and merged as far as they are accepted. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/load/show/json.h"
#include "tests/unit/load/run/parts.h"

TestSuite(part, .init = parts_begin, .fini = parts_end);

static unsigned refused, taken;

/* Reads a file, and merges it with a good one, the first of the parts_read, if it can. */
static void
try_file(const char *path)
{
	struct part both[2] = {{0}, parts_read[0]};
	struct load both_load = {0};
	bool is_taken = part_read(&both[0], path);

	if (is_taken) {
		struct result *result = merge_parts(both, 2, &both_load);
		json_t *json = json_result(result);

		cr_assert_not_null(json);
		json_decref(json);
		result_free(result);
	}
	*(is_taken ? &taken : &refused) += 1;
	part_free(&both[0]);
}

/* Every so many of the other values are tried in each place. */
#define STEP 6

/* Tries the whole with each of its values, one after the other, replaced by some others. */
static void
spoil_values(json_t *whole, json_t *at)
{
	static const char *const others[] = {"null", "-1", "1e300", "9007199254740993",
		"9223372036854775807", "\"x\"", "[]", "{}", "[null,{}]", "true", "0"};
	const char *key;
	json_t *value;
	void *next;
	static size_t turn;
	size_t index;

	json_object_foreach_safe(at, next, key, value)
	{
		json_incref(value);
		for (size_t i = turn++ % STEP; i < sizeof others / sizeof others[0]; i += STEP) {
			json_object_set_new(at, key, json_loads(others[i], JSON_DECODE_ANY, NULL));
			json_dump_file(whole, parts_paths[2], 0);
			try_file(parts_paths[2]);
		}
		json_object_set_new(at, key, value);
		spoil_values(whole, value);
	}
	json_array_foreach(at, index, value)
	{
		spoil_values(whole, value);
	}
}

Test(part, no_file_brings_it_down, .timeout = 300)
{
	const char *good = parts_paths[1];
	json_t *whole;
	char *text;
	FILE *file;

	cr_assert_not_null(freopen("/dev/null", "w", stderr));
	parts_store_good(0, NULL);
	parts_store_good(1, NULL);
	cr_assert(part_read(parts_read, good));
	whole = json_load_file(parts_paths[0], 0, NULL);
	spoil_values(whole, whole);
	cr_assert_gt(refused, taken, "%u refused, %u taken", refused, taken);
	cr_assert_gt(taken, 0);
	/* Texts that end too early. */
	text = json_dumps(whole, 0);
	taken = 0;
	for (size_t length = 0; length < strlen(text); length += 997) {
		file = fopen(parts_paths[2], "we");
		fwrite(text, 1, length, file);
		fclose(file);
		try_file(parts_paths[2]);
	}
	cr_assert_eq(taken, 0);
	free(text);
	json_decref(whole);
}
