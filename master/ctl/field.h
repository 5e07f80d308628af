/* Fields of a state, the JSON of status, which may be of another release: one that is missing
 * counts as 0 or "?". */
#ifndef HUBBUB_CTL_FIELD_H
#define HUBBUB_CTL_FIELD_H

#include <jansson.h>

static inline long long
field_whole(const json_t *object, const char *key)
{
	return (long long)json_integer_value(json_object_get(object, key));
}

static inline double
field_number(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

static inline const char *
field_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "?";
}

#endif
