/* Lines, strictly. llhttp forgives some of what others read in another way: a line that goes on in
 * the next one, a newline alone, a field without a name, "GET / RTSP/1.0". Two servers behind each
 * other that disagree about where a request ends can be made to take a part of one for a request of
 * its own. */
#include "head.h"

#include <string.h>

static void
refuse(struct head *head, int status, const char *wrong)
{
	head->status = status;
	head->wrong = wrong;
}

/* "GET /path HTTP/1.1": two spaces, and a version. */
static void
check_request_line(struct head *head, const char *line, size_t length)
{
	static const char form[] = " HTTP/1.1";
	size_t tail = sizeof form - 1;
	const char *target = memchr(line, ' ', length);
	const char *version = length > tail ? line + length - tail : NULL;

	if (version == NULL || memcmp(version, form, 6) != 0 || version[7] != '.' ||
		target == NULL || target >= version ||
		memchr(target + 1, ' ', (size_t)(version - target - 1)) != NULL)
		refuse(head, 400, "the request line is none");
	else if (version[6] != '1' || (version[8] != '0' && version[8] != '1'))
		refuse(head, 505, "the version is neither 1.0 nor 1.1");
}

/* A line without its CR LF. */
static void
check_line(struct head *head, const char *line, size_t length, bool is_request_line)
{
	if (memchr(line, '\r', length) != NULL || memchr(line, '\0', length) != NULL)
		refuse(head, 400, "a line has a byte that none may have");
	else if (is_request_line)
		check_request_line(head, line, length);
	else if (line[0] == ' ' || line[0] == '\t')
		refuse(head, 400, "a field goes on in the next line");
	else if (line[0] == ':')
		refuse(head, 400, "a field has no name");
}

/* A line of that length, or one that has no end yet. */
static void
check_size(struct head *head, size_t length, bool is_trailer, const struct head_limits *limits)
{
	bool is_request_line = head->lines == 0 && !is_trailer;
	size_t fields = head->lines + (is_trailer ? 1 : 0);

	if (length > limits->line && is_request_line)
		refuse(head, 414, "the request line is too long");
	else if (length > limits->line || head->line + length > limits->all)
		refuse(head, 431, "the fields are too long");
	else if (length > 0 && fields > limits->fields)
		refuse(head, 431, "the fields are too many");
}

size_t
head_find(struct head *head, const char *bytes, size_t length, bool is_trailer,
	const struct head_limits *limits)
{
	const char *newline, *line;
	size_t count;

	while ((newline = memchr(bytes + head->looked, '\n', length - head->looked)) != NULL) {
		line = bytes + head->line;
		if (newline == line || newline[-1] != '\r') {
			refuse(head, 400, "a line does not end with CR LF");
			return 0;
		}
		count = (size_t)(newline - line) - 1;
		head->looked = (size_t)(newline - bytes) + 1;
		if (count == 0 && (head->lines > 0 || is_trailer))
			return head->looked;
		check_size(head, count, is_trailer, limits);
		if (head->status == 0)
			check_line(head, line, count, head->lines == 0 && !is_trailer);
		if (head->status != 0)
			return 0;
		head->line = head->looked;
		head->lines++;
	}
	head->looked = length;
	check_size(head, length - head->line, is_trailer, limits);
	return 0;
}
