/* RESP2. A request is looked at where it lies, and again from its beginning when more of it has
 * come; it says how many bytes it surely has, so that this is seldom. */
#include "resp.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LINE_MOST 4096         /* bytes of a line of words */
#define ARGUMENTS_MOST 1048576 /* of an array */
#define ARGUMENT_LEAST 6       /* bytes that an argument has: "$0\r\n\r\n" */

enum found { WHOLE, PART, WRONG };

/* Reads "$12\r\n", where the mark is '$'. */
static enum found
read_length(const char **at, const char *end, char mark, size_t *length)
{
	const char *digit = *at;
	size_t digits = 0;

	*length = 0;
	if (digit < end && *digit++ != mark)
		return WRONG;
	for (; digit < end && isdigit((unsigned char)*digit) && digits < 10; digits++)
		*length = *length * 10 + (size_t)(*digit++ - '0');
	if (digit < end && (*digit != '\r' || digits == 0))
		return WRONG;
	if (end - digit < 2)
		return PART;
	*at = digit + 2;
	return digit[1] == '\n' ? WHOLE : WRONG;
}

/* Reads "$3\r\nGET\r\n". Of a part, *missing says how many bytes must still come. */
static enum found
read_argument(const char **at, const char *end, struct text *text, size_t *missing)
{
	size_t left;
	enum found found = read_length(at, end, '$', &text->length);

	*missing = 1;
	if (found != WHOLE)
		return found;
	text->bytes = *at;
	left = (size_t)(end - *at);
	if (left < text->length + 2) {
		*missing = text->length + 2 - left;
		return PART;
	}
	*at += text->length + 2;
	return memcmp(*at - 2, "\r\n", 2) == 0 ? WHOLE : WRONG;
}

static ssize_t
end_wrong(struct request *request, const char *why)
{
	request->wrong = why;
	return -1;
}

static ssize_t
end_part(struct request *request, size_t needed, size_t longest)
{
	request->needed = needed;
	return needed <= longest ? 0 : end_wrong(request, "the request is too long");
}

static ssize_t
parse_array(const char *bytes, size_t length, size_t longest, struct request *request)
{
	const char *at = bytes, *end = bytes + length;
	size_t count, missing;
	struct text argument;
	enum found found = read_length(&at, end, '*', &count);

	if (found == PART)
		return end_part(request, length + 1, longest);
	if (found == WRONG || count == 0 || count > ARGUMENTS_MOST)
		return end_wrong(request, "invalid multibulk length");
	for (size_t i = 0; i < count; i++) {
		found = read_argument(&at, end, &argument, &missing);
		if (found == PART)
			return end_part(request,
				length + missing + (count - i - 1) * ARGUMENT_LEAST, longest);
		if (found == WRONG)
			return end_wrong(request, "invalid bulk string");
		if (i == 0) {
			request->name = argument;
			request->at = at;
		}
	}
	request->arguments = count - 1;
	request->end = at;
	return at - bytes;
}

static bool
is_blank(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r';
}

/* Takes the next word of a line; without bytes, if there is none. */
static struct text
take_word(const char **at, const char *end)
{
	struct text word = {0};

	while (*at < end && is_blank(**at))
		++*at;
	word.bytes = *at;
	while (*at < end && !is_blank(**at))
		++*at;
	word.length = (size_t)(*at - word.bytes);
	return word;
}

static ssize_t
parse_line(const char *bytes, size_t length, struct request *request)
{
	const char *newline = memchr(bytes, '\n', length < LINE_MOST ? length : LINE_MOST);
	const char *at;

	if (newline == NULL)
		return end_part(request, length + 1, LINE_MOST);
	request->is_line = true;
	request->at = bytes;
	request->end = newline;
	request->name = take_word(&request->at, newline);
	at = request->at;
	while (take_word(&at, newline).length > 0)
		request->arguments++;
	return newline + 1 - bytes;
}

ssize_t
resp_parse(const char *bytes, size_t length, size_t longest, struct request *request)
{
	*request = (struct request){0};
	if (length == 0)
		return end_part(request, 1, longest);
	if (bytes[0] == '*')
		return parse_array(bytes, length, longest, request);
	return parse_line(bytes, length, request);
}

struct text
resp_take(struct request *request)
{
	struct text argument;
	size_t missing;

	request->arguments--;
	if (request->is_line)
		return take_word(&request->at, request->end);
	read_argument(&request->at, request->end, &argument, &missing);
	return argument;
}

void
resp_simple(struct bytes *reply, const char *text)
{
	bytes_print(reply, "+%s\r\n", text);
}

void
resp_integer(struct bytes *reply, int64_t number)
{
	bytes_print(reply, ":%" PRId64 "\r\n", number);
}

void
resp_bulk(struct bytes *reply, struct text text)
{
	bytes_print(reply, "$%zu\r\n", text.length);
	bytes_add(reply, text.bytes, text.length);
	bytes_add(reply, "\r\n", 2);
}

void
resp_null(struct bytes *reply)
{
	bytes_add(reply, "$-1\r\n", 5);
}

void
resp_array(struct bytes *reply, size_t count)
{
	bytes_print(reply, "*%zu\r\n", count);
}

void
resp_error(struct bytes *reply, const char *format, ...)
{
	char text[256];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	for (char *byte = text; *byte != '\0'; byte++)
		if (!isprint((unsigned char)*byte))
			*byte = '?';
	bytes_print(reply, "-%s\r\n", text);
}
