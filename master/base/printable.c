/* jansson decides what is valid UTF-8, because jansson would refuse the text otherwise. A text that
 * is valid as a whole is taken as it is; only one that is not is looked at character by
 * character. */
#include "master/base/printable.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHARACTER_MAX 4 /* most bytes of a character in UTF-8 */
#define ESCAPE_LENGTH 4 /* "\xff" */

/* Returns the length in bytes of the UTF-8 character that text begins with, or 0 if it begins with
 * none, or with NUL. */
static size_t
character_length(const char *text, size_t left)
{
	size_t most = *text == '\0' ? 0 : left < CHARACTER_MAX ? left : CHARACTER_MAX;

	for (size_t length = 1; length <= most; length++) {
		json_t *json = json_stringn(text, length);

		json_decref(json);
		if (json != NULL)
			return length;
	}
	return 0;
}

json_t *
printable_json_of(const char *text, size_t length)
{
	json_t *json = memchr(text, '\0', length) == NULL ? json_stringn(text, length) : NULL;
	const char *end = text + length;
	char *shown, *to;

	if (json != NULL)
		return json;
	to = shown = malloc(ESCAPE_LENGTH * length + 1);
	if (shown == NULL)
		return NULL;
	while (text < end) {
		size_t whole = character_length(text, (size_t)(end - text));

		if (whole == 0) {
			to += sprintf(to, "\\x%02x", (unsigned char)*text++);
			continue;
		}
		memcpy(to, text, whole);
		to += whole;
		text += whole;
	}
	*to = '\0';
	json = json_string(shown);
	free(shown);
	return json;
}

json_t *
printable_json(const char *text)
{
	return printable_json_of(text, strlen(text));
}

void
printable_line(const char *text, char *line, size_t size)
{
	json_t *json = printable_json(text);
	const char *shown = json != NULL ? json_string_value(json) : "";
	size_t length = strnlen(shown, size);

	/* Do not cut inside a character: all its bytes but the first are 10xxxxxx. */
	if (length == size)
		for (length--; length > 0 && ((unsigned char)shown[length] & 0xc0) == 0x80;)
			length--;
	for (size_t i = 0; i < length; i++)
		line[i] = (char)((unsigned char)shown[i] < ' ' ? ' ' : shown[i]);
	line[length] = '\0';
	json_decref(json);
}
