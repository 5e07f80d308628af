/* A service's table comes from its source, so a fault is a mistake of its author, and is told at
 * the start. Its names share one space with the commands of every server and with the pages of the
 * admin address. */
#include "master/face/offered.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hub/base/room.h"
#include "master/base/nearest.h"
#include "master/face/commands.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyz"
#define NAMES_MAX 256 /* among which the nearest is looked for */

/* ---- the table ---- */

/* Walks the service's table. */
#define OFFERED_EACH(row, service)                                                                 \
	for (const struct hubbub_command *row = (service)->commands;                               \
		row != NULL && row->name != NULL; row++)

static bool
is_name(const char *name)
{
	size_t length = strlen(name);

	return length <= OFFERED_NAME_MAX && length > 0 && strchr(LETTERS, name[0]) != NULL &&
	       strspn(name, LETTERS "0123456789.-_") == length;
}

/* Whether a text is of one line, and can be part of a header of HTTP. */
static bool
is_line(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text < ' ' || *text > '~')
			return false;
	return true;
}

/* Returns what is wrong with a row, whose name is one, or NULL. */
static const char *
find_fault(const struct hubbub_service *service, const struct hubbub_command *row,
	bool (*has_page)(const char *name))
{
	if (commands_find(row->name) != NULL)
		return "has the name of a command that every server has";
	if (has_page(row->name))
		return "has the name of a page that every server has";
	if (offered_find(service, row->name) != row)
		return "is there twice";
	if (row->help == NULL || !is_line(row->help))
		return "has no help of one line";
	if (row->run == NULL)
		return "has no function";
	if (row->page != NULL && (strchr(row->page, '/') == NULL || !is_line(row->page)))
		return "has a page, but no content type of it, such as text/plain";
	if (!ROOM_IS_EMPTY(row))
		return "has a room that " ROOM_IS_FULL;
	return NULL;
}

const char *
offered_fault(const struct hubbub_service *service, bool (*has_page)(const char *name))
{
	static char fault[256];

	OFFERED_EACH(row, service)
	{
		const char *what;

		if (!is_name(row->name)) {
			snprintf(fault, sizeof fault,
				"the command '%.40s' of the service needs a name of 1 to %d "
				"lower-case letters, digits, '.', '-' and '_', a letter first",
				row->name, OFFERED_NAME_MAX);
			return fault;
		}
		what = find_fault(service, row, has_page);
		if (what != NULL) {
			snprintf(fault, sizeof fault, "the command '%s' of the service %s",
				row->name, what);
			return fault;
		}
	}
	return NULL;
}

const struct hubbub_command *
offered_find(const struct hubbub_service *service, const char *name)
{
	OFFERED_EACH(row, service)
	if (strcmp(row->name, name) == 0)
		return row;
	return NULL;
}

char *
offered_list(const struct hubbub_service *service)
{
	char *list = NULL;
	size_t length;
	FILE *stream = open_memstream(&list, &length);

	if (stream == NULL)
		return NULL;
	commands_print(stream);
	OFFERED_EACH(row, service)
	fprintf(stream, "  %-9s %s\n", row->name, row->help);
	if (fclose(stream) == 0)
		return list;
	free(list);
	return NULL;
}

void
offered_print_pages(const struct hubbub_service *service, FILE *stream)
{
	OFFERED_EACH(row, service)
	if (row->page != NULL)
		fprintf(stream, ", /%s", row->name);
}

void
offered_explain(const struct hubbub_service *service, const char *name,
	char error[static OFFERED_ERROR_SIZE])
{
	const char *names[NAMES_MAX + 1] = {NULL}, *nearest;
	size_t count = 0;

	for (size_t i = 0; i < COMMAND_MAX; i++)
		names[count++] = commands_table[i].name;
	OFFERED_EACH(row, service)
	if (count < NAMES_MAX)
		names[count++] = row->name;
	nearest = nearest_name(name, names);
	if (nearest != NULL)
		snprintf(error, OFFERED_ERROR_SIZE, "there is no command '%.64s'; did you mean %s?",
			name, nearest);
	else
		snprintf(error, OFFERED_ERROR_SIZE,
			"there is no command '%.64s'; see hubbub-ctl help", name);
}

/* ---- arguments ---- */

const char *
offered_add(struct offered_arguments *arguments, const char *bytes, size_t length)
{
	if (memchr(bytes, '\0', length) != NULL)
		return "an argument has a NUL in it";
	if (arguments->count == REPLY_ARGUMENTS_MAX ||
		length >= sizeof arguments->text - arguments->size)
		return "there are too many arguments, or they are too long";
	memcpy(arguments->text + arguments->size, bytes, length);
	arguments->size += length;
	arguments->text[arguments->size++] = '\0';
	arguments->count++;
	return NULL;
}

/* Returns the value of a hexadecimal digit, or -1. */
static int
read_digit(char digit)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	const char *at = digit != '\0' ? strchr(digits, digit) : NULL;

	return at != NULL ? (int)(at - digits) % 16 : -1;
}

/* Decodes a word in place. Returns its length, or -1 if a '%' is without its two digits. */
static ssize_t
decode(char *word)
{
	char *to = word;

	for (const char *from = word; *from != '\0'; from++) {
		int high, low;

		if (*from != '%') {
			*to++ = *from;
			continue;
		}
		high = read_digit(from[1]);
		low = high != -1 ? read_digit(from[2]) : -1;
		if (low == -1)
			return -1;
		*to++ = (char)(high * 16 + low);
		from += 2;
	}
	return to - word;
}

const char *
offered_read(struct offered_arguments *arguments, char *words)
{
	while (words != NULL) {
		char *word = strsep(&words, " ");
		ssize_t length = decode(word);
		const char *why = length < 0 ? "a '%' in an argument needs two hexadecimal digits; "
					       "itself it is %25"
					     : offered_add(arguments, word, (size_t)length);

		if (why != NULL)
			return why;
	}
	return NULL;
}
