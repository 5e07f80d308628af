/* Reading results back. A file is not trusted: it may be anything, of any length. */
#include "tests/load/show/json_read.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "tests/load/show/json.h"

/* No result is as long: an hour of intervals of 10 ms has a third of it. */
#define LENGTH_MAX (UINT64_C(256) << 20)

json_t *
json_at(const json_t *json, const char *path)
{
	char copy[128], *rest = NULL;
	json_t *at = (json_t *)(uintptr_t)json;

	snprintf(copy, sizeof copy, "%s", path);
	for (char *key = strtok_r(copy, ".", &rest); key != NULL && at != NULL;
		key = strtok_r(NULL, ".", &rest))
		at = json_object_get(at, key);
	return at;
}

double
json_number_at(const json_t *json, const char *path, double fallback)
{
	const json_t *at = json_at(json, path);

	return json_is_number(at) ? json_number_value(at) : fallback;
}

const char *
json_text_at(const json_t *json, const char *path)
{
	const char *text = json_string_value(json_at(json, path));

	return text != NULL ? text : "";
}

/* What is read of a file. */
struct source {
	FILE *file;
	uint64_t length;
};

/* Reads on, for the parser. */
static size_t
read_more(void *buffer, size_t size, void *context)
{
	struct source *source = context;
	size_t length = fread(buffer, 1, size, source->file);

	source->length += length;
	return source->length > LENGTH_MAX ? (size_t)-1 : length;
}

/* Returns NULL after a message on stderr. A path of "-" is stdin. */
static json_t *
read_json(const char *path)
{
	bool is_stdin = strcmp(path, "-") == 0;
	const char *name = is_stdin ? "the standard input" : path;
	FILE *file = is_stdin ? stdin : fopen(path, "re");
	struct source source = {file, 0};
	json_error_t error;
	json_t *json = NULL;

	if (file != NULL) {
		errno = 0;
		json = json_load_callback(read_more, &source, 0, &error);
	}
	/* A read error, of a directory for instance, is an early end to the parser, which would
	 * report a line number. */
	if (file == NULL || ferror(file))
		fprintf(stderr, "hubbub-load: %s cannot be read: %s\n", name, strerror(errno));
	else if (source.length > LENGTH_MAX)
		fprintf(stderr, "hubbub-load: %s is longer than any result\n", name);
	else if (json == NULL)
		fprintf(stderr, "hubbub-load: %s is no result of hubbub-load: line %d: %s\n", name,
			error.line, error.text);
	if (file != NULL && !is_stdin)
		fclose(file);
	return json;
}

json_t *
json_read_result(const char *path)
{
	json_t *json = read_json(path);
	const char *why = NULL;

	if (json == NULL)
		return NULL;
	if (strcmp(json_text_at(json, "tool"), "hubbub-load") != 0)
		why = "not a result of hubbub-load (write one with -o FILE)";
	else if (json_number_at(json, "schema_version", 0) > JSON_SCHEMA_VERSION)
		why = "written by a later version of hubbub-load";
	else if (!json_is_object(json_at(json, "latency_ns.response")) ||
		 !json_is_array(json_at(json, "series")) || !json_is_array(json_at(json, "runs")) ||
		 !json_is_object(json_at(json, "config")) || !json_is_object(json_at(json, "load")))
		why = "a part of the result is missing";
	if (why == NULL)
		return json;
	fprintf(stderr, "hubbub-load: %s: %s\n", path, why);
	json_decref(json);
	return NULL;
}

/* ---- values ---- */

void
json_complain(struct json_reading *reading, const char *path, const char *expected)
{
	if (!reading->is_bad)
		fprintf(stderr, "hubbub-load: %s: %s is %s%s\n", reading->name, path,
			json_at(reading->json, path) == NULL ? "missing; it should be " : "not ",
			expected);
	reading->is_bad = true;
}

double
json_take_real(struct json_reading *reading, const char *path, double most)
{
	const json_t *at = json_at(reading->json, path);
	double value = json_number_value(at);
	char expected[64];

	if (json_is_number(at) && value >= 0 && value <= most)
		return value;
	snprintf(expected, sizeof expected, "a number from 0 to %g", most);
	json_complain(reading, path, expected);
	return 0;
}

uint64_t
json_take_whole(struct json_reading *reading, const char *path, uint64_t most)
{
	const json_t *at = json_at(reading->json, path);
	json_int_t value = json_integer_value(at);
	char expected[64];

	if (json_is_integer(at) && value >= 0 && (uint64_t)value <= most)
		return (uint64_t)value;
	snprintf(expected, sizeof expected, "a whole number from 0 to %llu",
		(unsigned long long)most);
	json_complain(reading, path, expected);
	return 0;
}

uint64_t
json_take_whole_or(struct json_reading *reading, const char *path, uint64_t most, uint64_t fallback)
{
	return json_is_null(json_at(reading->json, path)) ? fallback
							  : json_take_whole(reading, path, most);
}

bool
json_take_flag(struct json_reading *reading, const char *path)
{
	const json_t *at = json_at(reading->json, path);

	if (!json_is_boolean(at))
		json_complain(reading, path, "true or false");
	return json_is_true(at);
}

void
json_take_text(struct json_reading *reading, const char *path, char *to, size_t size)
{
	const json_t *at = json_at(reading->json, path);

	if (json_is_string(at))
		snprintf(to, size, "%s", json_string_value(at));
	else if (!json_is_null(at))
		json_complain(reading, path, "a text, or null");
}

const json_t *
json_take_array(struct json_reading *reading, const char *path, size_t most)
{
	const json_t *at = json_at(reading->json, path);
	char expected[64];

	if (json_is_array(at) && json_array_size(at) <= most)
		return at;
	snprintf(expected, sizeof expected, "an array of at most %zu", most);
	json_complain(reading, path, expected);
	return NULL;
}

int
json_take_word(struct json_reading *reading, const char *path, const char *const *words, int count)
{
	const char *word = json_string_value(json_at(reading->json, path));

	for (int i = 0; word != NULL && i < count; i++)
		if (strcmp(word, words[i]) == 0)
			return i;
	json_complain(reading, path, "one of the words that it can be");
	return 0;
}
