/* Bytes are taken character by character: a character that is whole and harmless is copied, and of
 * anything else one byte is escaped. */
#include "hub/base/log_text.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* The line, as far as it is written. */
struct output {
	char *text;
	size_t size;
	size_t length;
	bool is_full; /* something has found no room */
};

static void
add(struct output *output, const char *bytes, size_t length)
{
	output->is_full = output->is_full || length > output->size - output->length;
	if (output->is_full)
		return;
	memcpy(output->text + output->length, bytes, length);
	output->length += length;
}

/* ---- characters ---- */

/* How many bytes a character has that begins with this one; 0 if none does. */
static size_t
length_by(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first >= 0xc2 && first <= 0xdf)
		return 2;
	if (first >= 0xe0 && first <= 0xef)
		return 3;
	return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

/* Whether the code point is a control character, or ends a line or turns the direction of text for
 * a viewer that knows Unicode. */
static bool
is_moving(uint32_t point)
{
	return point < ' ' || (point >= 0x7f && point < 0xa0) ||
	       (point >= 0x2028 && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069);
}

/* The length of the harmless character in UTF-8 that text begins with; 0 if it begins with none. */
static size_t
character(const char *text, size_t left)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	static const unsigned char masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	size_t length = length_by((unsigned char)text[0]);
	uint32_t point = (unsigned char)text[0] & masks[length];

	if (length == 0 || length > left)
		return 0;
	for (size_t i = 1; i < length; i++) {
		if (((unsigned char)text[i] & 0xc0) != 0x80)
			return 0;
		point = point << 6 | ((unsigned char)text[i] & 0x3f);
	}
	if (point < least[length] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
		return 0;
	return is_moving(point) ? 0 : length;
}

size_t
log_cut(const char *text, size_t length, size_t most)
{
	if (length <= most)
		return length;
	/* All bytes of a character but the first are 10xxxxxx. */
	while (most > 0 && ((unsigned char)text[most] & 0xc0) == 0x80)
		most--;
	return most;
}

/* ---- texts ---- */

static void
add_escaped(struct output *output, char byte)
{
	char escape[8];

	if (byte == '\n' || byte == '\r' || byte == '\t')
		snprintf(escape, sizeof escape, "\\%c",
			byte == '\n'   ? 'n'
			: byte == '\r' ? 'r'
				       : 't');
	else
		snprintf(escape, sizeof escape, "\\x%02x", (unsigned char)byte);
	add(output, escape, strlen(escape));
}

static void
add_text(struct output *output, const char *text, size_t length, bool is_quoted)
{
	while (length > 0) {
		size_t whole = character(text, length);

		if (is_quoted && (*text == '"' || *text == '\\'))
			add(output, "\\", 1);
		if (whole == 0)
			add_escaped(output, *text);
		else
			add(output, text, whole);
		whole += whole == 0;
		text += whole;
		length -= whole;
	}
}

static bool
needs_quotes(const char *value, size_t length)
{
	size_t whole;

	for (size_t i = 0; i < length; i += whole) {
		whole = character(value + i, length - i);
		if (whole == 0 || memchr(" \"=\\", value[i], 4) != NULL)
			return true;
	}
	return length == 0;
}

/* Whatever its message or the value before had, the name begins a word of its own. */
static void
add_field(struct output *output, const struct log_field *field, size_t most)
{
	size_t length = log_cut(field->value, field->length, most);
	bool is_quoted = needs_quotes(field->value, length);

	add(output, " ", output->length > 0);
	add(output, field->name, field->name_length);
	add(output, "=\"", is_quoted ? 2 : 1);
	add_text(output, field->value, length, is_quoted);
	if (length < field->length)
		add(output, LOG_CUT, strlen(LOG_CUT));
	add(output, "\"", is_quoted);
}

size_t
log_text(char *text, size_t size, size_t most, const struct log_entry *entry)
{
	struct output output = {.text = text, .size = size};
	size_t length = log_cut(entry->message, entry->length, most);

	add_text(&output, entry->message, length, false);
	if (length < entry->length)
		add(&output, LOG_CUT, strlen(LOG_CUT));
	for (size_t i = 0; i < entry->field_count; i++)
		add_field(&output, &entry->fields[i], most);
	for (size_t i = 0; i < entry->context_count; i++)
		add_field(&output, &entry->context[i], most);
	return output.is_full ? size + 1 : output.length;
}
