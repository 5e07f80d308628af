/* One function per kind reads, writes and checks a field; the field's address is the object plus
 * the row's offset. memcpy is used because the object's type is the program's own. */
#include "master/start/row.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "hub/base/clock.h"
#include "master/base/bytes.h"
#include "master/base/values.h"
#include "master/start/arguments.h"

#define RANGE_TOLD (1 << 20) /* the largest upper limit that the help shows */

/* ---- fields ---- */

static void *
field(const struct hubbub_option *row, void *object)
{
	return (char *)object + row->offset;
}

static const void *
field_of(const struct hubbub_option *row, const void *object)
{
	return (const char *)object + row->offset;
}

/* Stores a number in a field of the row's size, whatever the byte order. */
static void
store(const struct hubbub_option *row, void *object, uint64_t number)
{
	uint8_t byte = (uint8_t)number;
	uint32_t word = (uint32_t)number;

	if (row->size == sizeof byte)
		memcpy(field(row, object), &byte, sizeof byte);
	else if (row->size == sizeof word)
		memcpy(field(row, object), &word, sizeof word);
	else
		memcpy(field(row, object), &number, sizeof number);
}

static uint64_t
load(const struct hubbub_option *row, const void *object)
{
	uint8_t byte;
	uint32_t word;
	uint64_t number;

	if (row->size == sizeof byte)
		return memcpy(&byte, field_of(row, object), sizeof byte), byte;
	if (row->size == sizeof word)
		return memcpy(&word, field_of(row, object), sizeof word), word;
	return memcpy(&number, field_of(row, object), sizeof number), number;
}

static const char *
load_string(const struct hubbub_option *row, const void *object)
{
	const char *string;

	memcpy(&string, field_of(row, object), sizeof string);
	return string;
}

/* Returns the word that stands for the value, or otherwise. */
static const char *
load_word(const struct hubbub_option *row, const void *object, const char *otherwise)
{
	uint64_t index = load(row, object);

	return index < row->word_count ? row->words[index] : otherwise;
}

/* ---- ranges ---- */

/* Returns the largest value: the row's limit, or what its field can hold. */
static uint64_t
most_of(const struct hubbub_option *row)
{
	if (row->most != 0)
		return row->most;
	return row->size == sizeof(uint32_t) ? UINT32_MAX : INT64_MAX;
}

static bool
is_within(const struct hubbub_option *row, uint64_t number)
{
	return number >= row->least && number <= most_of(row);
}

static const char *
write_bound(const struct hubbub_option *row, char text[static VALUES_TEXT_SIZE], uint64_t bound)
{
	if (row->kind == HUBBUB_SIZE)
		return values_write_size(text, bound);
	if (row->kind == HUBBUB_DURATION)
		return values_write_time(text, (int64_t)bound);
	snprintf(text, VALUES_TEXT_SIZE, "%llu", (unsigned long long)bound);
	return text;
}

/* Writes "1 to 1024". Returns text. */
static const char *
write_range(const struct hubbub_option *row, char *text, size_t size)
{
	char low[VALUES_TEXT_SIZE], high[VALUES_TEXT_SIZE];

	snprintf(text, size, "%s to %s", write_bound(row, low, row->least),
		write_bound(row, high, most_of(row)));
	return text;
}

/* ---- reading ---- */

/* Writes what is wrong with a value. Returns false. */
static bool __attribute__((format(printf, 3, 4)))
refuse(char *why, size_t size, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(why, size, format, arguments);
	va_end(arguments);
	return false;
}

static bool
read_flag(const struct hubbub_option *row, void *object, const char *text, char *why, size_t size)
{
	bool is_on = text == NULL || strcmp(text, "on") == 0 || strcmp(text, "1") == 0;

	if (!is_on && strcmp(text, "off") != 0 && strcmp(text, "0") != 0)
		return refuse(why, size, "'%s' is not 'on' or 'off'", text);
	store(row, object, is_on);
	return true;
}

/* Whether the text is one of the words, which stand for 0, 1 and so on. */
static bool
read_word(const struct hubbub_option *row, void *object, const char *text)
{
	for (size_t i = 0; i < row->word_count; i++)
		if (strcmp(text, row->words[i]) == 0) {
			store(row, object, i);
			return true;
		}
	return false;
}

/* Writes " or 'off' or 'auto'". Returns text. */
static const char *
write_words(const struct hubbub_option *row, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < row->word_count && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, " or '%s'", row->words[i]);
	return text;
}

static bool
read_number(const struct hubbub_option *row, void *object, const char *text, char *why, size_t size)
{
	char range[2 * VALUES_TEXT_SIZE + 8], words[104];
	uint64_t number;

	if (read_word(row, object, text))
		return true;
	if (!values_read_whole(text, &number) || !is_within(row, number))
		return refuse(why, size, "'%s' is not a whole number from %s%s", text,
			write_range(row, range, sizeof range),
			write_words(row, words, sizeof words));
	store(row, object, number);
	return true;
}

static bool
read_size(const struct hubbub_option *row, void *object, const char *text, char *why, size_t size)
{
	char range[2 * VALUES_TEXT_SIZE + 8];
	uint64_t bytes;

	if (!values_read_size(text, &bytes) || !is_within(row, bytes))
		return refuse(why, size, "'%s' is not a size from %s (bytes, or with K, M or G)",
			text, write_range(row, range, sizeof range));
	store(row, object, bytes);
	return true;
}

static bool
read_duration(
	const struct hubbub_option *row, void *object, const char *text, char *why, size_t size)
{
	char range[2 * VALUES_TEXT_SIZE + 8], words[104];
	int64_t time;

	if (read_word(row, object, text))
		return true;
	if (values_read_time(text, &time) && is_within(row, (uint64_t)time)) {
		store(row, object, (uint64_t)time);
		return true;
	}
	write_words(row, words, sizeof words);
	if (row->most == 0)
		return refuse(why, size,
			"'%s' is not a time of at least %s%s (10, 250ms, 5m; without a unit "
			"seconds)",
			text, write_bound(row, range, row->least), words);
	return refuse(why, size,
		"'%s' is not a number of seconds from %s%s (10, or with a unit: 250ms, 5m)", text,
		write_range(row, range, sizeof range), words);
}

static bool
read_choice(const struct hubbub_option *row, void *object, const char *text, char *why, size_t size)
{
	char list[128];
	int index =
		arguments_find_word(text, row->words, (unsigned)row->word_count, list, sizeof list);

	if (index < 0)
		return refuse(why, size, "'%s' is not one of: %s", text, list);
	store(row, object, (uint64_t)index);
	return true;
}

static bool
read_string(const struct hubbub_option *row, void *object, const char *text, char *why, size_t size)
{
	if (strlen(text) < row->least)
		return refuse(why, size, "needs a value");
	if (row->most != 0 && strlen(text) > row->most)
		return refuse(
			why, size, "longer than %llu characters", (unsigned long long)row->most);
	memcpy(field(row, object), &text, sizeof text);
	return true;
}

static bool
read_item(const struct hubbub_option *row, void *object, const char *text, char *why, size_t size)
{
	struct hubbub_list *list = field(row, object);
	size_t most = row->most != 0 ? (size_t)row->most : HUBBUB_LIST_MAX;

	if (list->count == most)
		return refuse(why, size, "more than %zu of them", most);
	list->items[list->count++] = text;
	return true;
}

bool
row_read(const struct hubbub_option *row, void *object, const char *text, char *why, size_t size)
{
	const char *expected;

	switch (row->kind) {
	case HUBBUB_CALL:
		expected = row->set(text, object);
		return expected == NULL ||
		       refuse(why, size, "'%s' is not %s", text != NULL ? text : "", expected);
	case HUBBUB_FLAG:
		return read_flag(row, object, text, why, size);
	case HUBBUB_NUMBER:
		return read_number(row, object, text, why, size);
	case HUBBUB_SIZE:
		return read_size(row, object, text, why, size);
	case HUBBUB_DURATION:
		return read_duration(row, object, text, why, size);
	case HUBBUB_CHOICE:
		return read_choice(row, object, text, why, size);
	case HUBBUB_STRING:
		return read_string(row, object, text, why, size);
	case HUBBUB_LIST:
		break;
	}
	return read_item(row, object, text, why, size);
}

/* ---- writing ---- */

const char *
row_write(const struct hubbub_option *row, const void *object, char *text, size_t size)
{
	char value[VALUES_TEXT_SIZE] = "";
	const char *shown = value;

	switch (row->kind) {
	case HUBBUB_NUMBER:
		snprintf(value, sizeof value, "%llu", (unsigned long long)load(row, object));
		shown = load_word(row, object, value);
		break;
	case HUBBUB_SIZE:
		values_write_size(value, load(row, object));
		break;
	case HUBBUB_DURATION:
		values_write_time(value, (int64_t)load(row, object));
		shown = load_word(row, object, value);
		break;
	case HUBBUB_CHOICE:
		shown = load_word(row, object, "");
		break;
	case HUBBUB_STRING:
		shown = load_string(row, object);
		break;
	case HUBBUB_FLAG:
		shown = load(row, object) != 0 ? "on" : "";
		break;
	case HUBBUB_LIST:
	case HUBBUB_CALL:
		break;
	}
	snprintf(text, size, "%s", shown != NULL ? shown : "");
	return text;
}

json_t *
row_json(const struct hubbub_option *row, const void *object)
{
	const struct hubbub_list *list;
	json_t *items;

	switch (row->kind) {
	case HUBBUB_FLAG:
		return json_boolean(load(row, object) != 0);
	case HUBBUB_NUMBER:
	case HUBBUB_SIZE:
	case HUBBUB_DURATION:
		return json_integer((json_int_t)load(row, object));
	case HUBBUB_CHOICE:
		return bytes_json(load_word(row, object, ""));
	case HUBBUB_STRING:
		return bytes_json(load_string(row, object));
	case HUBBUB_CALL:
		return json_null();
	case HUBBUB_LIST:
		break;
	}
	list = field_of(row, object);
	items = json_array();
	for (size_t i = 0; i < list->count; i++)
		json_array_append_new(items, bytes_json(list->items[i]));
	return items;
}

bool
row_is_same(const struct hubbub_option *row, const void *a, const void *b)
{
	const struct hubbub_list *one, *other;
	const char *first, *second;

	if (row->kind == HUBBUB_CALL)
		return true;
	if (row->kind == HUBBUB_STRING) {
		first = load_string(row, a);
		second = load_string(row, b);
		return first == second ||
		       (first != NULL && second != NULL && strcmp(first, second) == 0);
	}
	if (row->kind != HUBBUB_LIST)
		return load(row, a) == load(row, b);
	one = field_of(row, a);
	other = field_of(row, b);
	for (size_t i = 0; i < one->count && i < other->count; i++)
		if (strcmp(one->items[i], other->items[i]) != 0)
			return false;
	return one->count == other->count;
}

/* ---- help ---- */

/* Appends a part to the text in parentheses, behind "; " if it is not the first. */
static void
add_part(char *text, size_t size, const char *part)
{
	size_t length = strlen(text);

	snprintf(text + length, size - length, "%s%s", length > 0 ? "; " : "", part);
}

void
row_help(const struct hubbub_option *row, char *text, size_t size)
{
	/* A range too large to be reached is not shown. */
	bool has_range =
		row->most != 0 && (row->kind == HUBBUB_SIZE ||
					  (row->kind == HUBBUB_NUMBER && row->most <= RANGE_TOLD));
	size_t length = row->standard != NULL ? strlen(row->standard) : 0;
	char parts[256] = "", range[2 * VALUES_TEXT_SIZE + 8];

	/* A note such as "0: never" tells the default already, if that is 0. */
	if (row->standard != NULL &&
		!(row->note != NULL && strncmp(row->note, row->standard, length) == 0 &&
			row->note[length] == ':'))
		add_part(parts, sizeof parts, row->standard);
	if (row->note != NULL)
		add_part(parts, sizeof parts, row->note);
	if (has_range)
		add_part(parts, sizeof parts, write_range(row, range, sizeof range));
	snprintf(text, size, "%s%s%s%s%s", row->help != NULL ? row->help : "",
		row->kind == HUBBUB_LIST ? "; may be repeated" : "", parts[0] != '\0' ? " (" : "",
		parts, parts[0] != '\0' ? ")" : "");
}
