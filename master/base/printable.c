#include "master/base/printable.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHARACTER_MAX 4 /* bytes of UTF-8 */
#define ESCAPE_LENGTH 4 /* "\xff" */

/* The length of the character that text begins with, or 0 if its first byte is no UTF-8. jansson is
 * asked, as it is jansson that would refuse it. */
static size_t
character_length(const char *text)
{
	size_t most = strnlen(text, CHARACTER_MAX);

	for (size_t length = 1; length <= most; length++) {
		json_t *json = json_stringn(text, length);

		json_decref(json);
		if (json != NULL)
			return length;
	}
	return 0;
}

json_t *
printable_json(const char *text)
{
	json_t *json = json_string(text);
	char *shown, *to;

	if (json != NULL)
		return json;
	to = shown = malloc(ESCAPE_LENGTH * strlen(text) + 1);
	if (shown == NULL)
		return NULL;
	while (*text != '\0') {
		size_t length = character_length(text);

		if (length == 0) {
			to += sprintf(to, "\\x%02x", (unsigned char)*text++);
			continue;
		}
		memcpy(to, text, length);
		to += length;
		text += length;
	}
	*to = '\0';
	json = json_string(shown);
	free(shown);
	return json;
}

void
printable_line(const char *text, char *line, size_t size)
{
	json_t *json = printable_json(text);
	const char *shown = json != NULL ? json_string_value(json) : "";
	size_t length = strnlen(shown, size);

	/* Not in the middle of a character, all bytes of which but the first are 10xxxxxx. */
	if (length == size)
		for (length--; length > 0 && ((unsigned char)shown[length] & 0xc0) == 0x80;)
			length--;
	for (size_t i = 0; i < length; i++)
		line[i] = (char)((unsigned char)shown[i] < ' ' ? ' ' : shown[i]);
	line[length] = '\0';
	json_decref(json);
}
