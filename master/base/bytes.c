/* A text that is valid UTF-8 travels as a JSON string, readable for people; any other as an array
 * of its bytes. jansson itself decides: json_string refuses what is not UTF-8. */
#include "master/base/bytes.h"

#include <stdio.h>

json_t *
bytes_json(const char *text)
{
	json_t *json = text != NULL ? json_string(text) : json_null();

	if (json != NULL)
		return json;
	json = json_array();
	for (; *text != '\0'; text++)
		json_array_append_new(json, json_integer((unsigned char)*text));
	return json;
}

char *
bytes_read(const json_t *json, char *text, size_t size)
{
	const char *string = json_string_value(json);
	size_t length = json_array_size(json);

	if (string != NULL) {
		snprintf(text, size, "%s", string);
		return text;
	}
	length = length < size ? length : size - 1;
	for (size_t i = 0; i < length; i++)
		text[i] = (char)json_integer_value(json_array_get(json, i));
	text[length] = '\0';
	return text;
}
