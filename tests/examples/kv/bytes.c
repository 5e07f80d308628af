/* A buffer that grows by doubling, and says later whether anything is missing, so that whoever adds
 * need not ask each time. */
#include "bytes.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool
text_number(struct text text, int64_t *number)
{
	char copy[24];
	char *end;

	if (text.length == 0 || text.length >= sizeof copy ||
		strspn(memcpy(copy, text.bytes, text.length), "-0123456789") < text.length)
		return false;
	copy[text.length] = '\0';
	errno = 0;
	*number = strtoll(copy, &end, 10);
	return errno == 0 && end == copy + text.length;
}

static bool
has_room(struct bytes *bytes, size_t length)
{
	size_t room = bytes->room > 0 ? bytes->room : 256;
	char *data;

	if (length > BYTES_MOST - bytes->length)
		return false;
	if (length <= bytes->room - bytes->length)
		return true;
	while (room - bytes->length < length)
		room *= 2;
	data = realloc(bytes->data, room);
	if (data == NULL)
		return false;
	bytes->data = data;
	bytes->room = room;
	return true;
}

void
bytes_add(struct bytes *bytes, const void *data, size_t length)
{
	if (!has_room(bytes, length)) {
		bytes->is_cut = true;
	} else if (length > 0) {
		memcpy(bytes->data + bytes->length, data, length);
		bytes->length += length;
	}
}

void
bytes_print(struct bytes *bytes, const char *format, ...)
{
	char text[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	bytes_add(bytes, text, strlen(text));
}

void
bytes_cut_back(struct bytes *bytes, size_t length)
{
	bytes->length = length;
	bytes->is_cut = false;
}

void
bytes_free(struct bytes *bytes)
{
	free(bytes->data);
	*bytes = (struct bytes){0};
}
