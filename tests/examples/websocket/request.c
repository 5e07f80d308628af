/* Lines of a head, read strictly: what two readers could understand in two ways is refused. */
#include "request.h"

#include <errno.h>
#include <hubbub/hub.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define BAD_REQUEST "400 Bad Request"

/* Whether a list, separated by commas, has this word. */
static bool
has_word(const char *list, const char *word)
{
	size_t length = strlen(word);

	for (; *list != '\0'; list += strcspn(list, ",")) {
		list += strspn(list, ", \t");
		if (strncasecmp(list, word, length) == 0 &&
			strspn(list + length, " \t") == strcspn(list + length, ","))
			return true;
	}
	return false;
}

/* Stores a header that a request has once. */
static const char *
store(char *field, size_t size, const char *value)
{
	if (field[0] != '\0')
		return BAD_REQUEST;
	snprintf(field, size, "%s", value);
	return NULL;
}

static const char *
take_header(struct request *request, const char *name, const char *value)
{
	if (strcasecmp(name, "Host") == 0)
		return store(request->host, sizeof request->host, value);
	if (strcasecmp(name, "Origin") == 0)
		return store(request->origin, sizeof request->origin, value);
	if (strcasecmp(name, "Sec-WebSocket-Key") == 0)
		return store(request->key, sizeof request->key, value);
	if (strcasecmp(name, "Sec-WebSocket-Version") == 0)
		return store(request->version, sizeof request->version, value);
	if (strcasecmp(name, "Content-Length") == 0 || strcasecmp(name, "Transfer-Encoding") == 0)
		return BAD_REQUEST; /* nothing here takes a body */
	if (strcasecmp(name, "Upgrade") == 0)
		request->upgrades |= has_word(value, "websocket");
	if (strcasecmp(name, "Connection") == 0)
		request->connects |= has_word(value, "upgrade");
	return NULL;
}

/* "Name: value", with blanks around the value alone. */
static const char *
parse_header(struct request *request, char *line)
{
	size_t name = strcspn(line, ": \t"), end = strlen(line);
	char *value = line + name + 1;

	if (name == 0 || line[name] != ':')
		return BAD_REQUEST;
	while (end > name + 1 && strchr(" \t", line[end - 1]) != NULL)
		end--;
	line[end] = line[name] = '\0';
	return take_header(request, line, value + strspn(value, " \t"));
}

/* "GET /path HTTP/1.1"; what follows a question mark is not looked at. */
static const char *
parse_first(struct request *request, char *line)
{
	char *rest = line, *method = strsep(&rest, " "), *path = strsep(&rest, " ");

	if (path == NULL || rest == NULL || path[0] != '/')
		return BAD_REQUEST;
	if (strcmp(rest, "HTTP/1.1") != 0)
		return "505 HTTP Version Not Supported";
	if (strcmp(method, "GET") != 0)
		return "405 Method Not Allowed\r\nAllow: GET";
	path[strcspn(path, "?")] = '\0';
	snprintf(request->path, sizeof request->path, "%s", path);
	return NULL;
}

const char *
request_read(struct hub_stream *stream, struct request *request)
{
	const char *refused = NULL;
	size_t length, all = 0;
	char *line;

	*request = (struct request){0};
	while ((line = hub_stream_read_line(stream, &length)) != NULL) {
		bool is_first = all == 0;

		all += length + 2;
		if (all > HEAD_MOST)
			break;
		if (length == 0 && !is_first)
			return request->host[0] != '\0' ? NULL : BAD_REQUEST;
		if (strlen(line) != length)
			return BAD_REQUEST;
		refused = is_first ? parse_first(request, line) : parse_header(request, line);
		if (refused != NULL)
			return refused;
	}
	return line != NULL || errno == EMSGSIZE ? "431 Request Header Fields Too Large" : "";
}
