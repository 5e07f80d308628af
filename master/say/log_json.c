/* jansson writes straight into the log's line. Text that is not UTF-8 is escaped (printable.h),
 * because a line that a collector cannot parse would be lost whole. */
#include "master/say/log_json.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hub/base/log_text.h"
#include "master/base/printable.h"

#define DIGITS 15 /* of numbers that are no integers */

/* A text that is cut to most bytes. */
static json_t *
text_json(const char *text, size_t length, size_t most)
{
	size_t kept = log_cut(text, length, most), cut = strlen(LOG_CUT);
	char *shortened;
	json_t *json;

	if (kept == length)
		return printable_json_of(text, length);
	shortened = malloc(kept + cut);
	if (shortened == NULL)
		return NULL;
	memcpy(shortened, text, kept);
	memcpy(shortened + kept, LOG_CUT, cut);
	json = printable_json_of(shortened, kept + cut);
	free(shortened);
	return json;
}

/* Integers beyond 64 bits, infinities and numbers with leading zeros stay texts. */
static json_t *
value_json(const struct log_field *field, size_t most)
{
	json_t *number = NULL;

	if (field->is_number)
		number = json_loadb(field->value, field->length, JSON_DECODE_ANY, NULL);
	if (json_is_number(number))
		return number;
	json_decref(number);
	return text_json(field->value, field->length, most);
}

/* Sets the fields as keys of object. Returns whether there was memory. */
static bool
set_all(json_t *object, const struct log_field *fields, size_t count, size_t most)
{
	for (size_t i = 0; i < count; i++)
		if (json_object_setn_new(object, fields[i].name, fields[i].name_length,
			    value_json(&fields[i], most)) != 0)
			return false;
	return true;
}

static json_t *
entry_json(const char *when, const char *program, const struct log_entry *entry, size_t most)
{
	json_t *object = json_pack("{s:s, s:s, s:o, s:i, s:o}", "time", when, "level",
		log_level_names[entry->level], "program", printable_json(program), "pid",
		entry->pid != 0 ? entry->pid : (int)getpid(), "message",
		text_json(entry->message, entry->length, most));
	json_t *fields = entry->field_count > 0 ? json_object() : NULL;
	bool is_whole = object != NULL && (entry->field_count == 0 || fields != NULL) &&
			set_all(object, entry->context, entry->context_count, most) &&
			set_all(fields, entry->fields, entry->field_count, most) &&
			(fields == NULL || json_object_set(object, "fields", fields) == 0);

	json_decref(fields);
	if (is_whole)
		return object;
	json_decref(object);
	return NULL;
}

size_t
log_json_line(char *line, size_t size, size_t most, const char *when, const char *program,
	const struct log_entry *entry)
{
	json_t *object = entry_json(when, program, entry, most);
	size_t length;

	/* Without memory: a valid line, but without the text. */
	if (object == NULL)
		return (size_t)snprintf(line, size,
			"{\"level\":\"%s\",\"message\":\"(no memory)\"}\n",
			log_level_names[entry->level]);
	length = json_dumpb(object, line, size - 1, JSON_COMPACT | JSON_REAL_PRECISION(DIGITS));
	json_decref(object);
	if (length == 0 || length > size - 1)
		return 0;
	line[length] = '\n';
	return length + 1;
}
