#include "master/printable.h"

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
