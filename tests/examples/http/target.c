/* Targets and hosts. */
#include "target.h"

#include <ctype.h>

static int
digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Drops "http://host". */
static struct text
without_host(struct text target)
{
	static const char scheme[] = "http://";
	size_t length = sizeof scheme - 1;

	if (target.length <= length || strncasecmp(target.bytes, scheme, length) != 0)
		return target;
	while (length < target.length && strchr("/?", target.bytes[length]) == NULL)
		length++;
	return (struct text){target.bytes + length, target.length - length};
}

/* The byte at the beginning, of *length characters; 0 if there is none. */
static char
take(struct text text, size_t *length)
{
	int high, low;

	*length = 1;
	if (text.bytes[0] <= ' ' || text.bytes[0] > '~' || text.bytes[0] == '#')
		return '\0';
	if (text.bytes[0] != '%')
		return text.bytes[0];
	*length = 3;
	if (text.length < 3)
		return '\0';
	high = digit(text.bytes[1]);
	low = digit(text.bytes[2]);
	return high < 0 || low < 0 ? '\0' : (char)(high << 4 | low);
}

bool
target_decode(struct text target, char *path, size_t size)
{
	struct text left = without_host(target);
	size_t length = 0, taken;

	if (left.bytes != target.bytes && (left.length == 0 || left.bytes[0] == '?'))
		path[length++] = '/';
	for (; left.length > 0 && left.bytes[0] != '?'; left.bytes += taken, left.length -= taken) {
		char byte = take(left, &taken);

		if (byte == '\0' || length + 1 >= size)
			return false;
		path[length++] = byte;
	}
	path[length] = '\0';
	return path[0] == '/' || strcmp(path, "*") == 0;
}

bool
target_is_host(struct text host)
{
	for (size_t i = 0; i < host.length; i++)
		if (!isalnum((unsigned char)host.bytes[i]) &&
			strchr("-._~!$&'()*+,;=%:[]", host.bytes[i]) == NULL)
			return false;
	return true;
}
