/* A character of UTF-8 is counted as a column: what servers are called is seldom wider. */
#include "master/ctl/screen.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "master/ctl/plain.h"

static bool
grow(struct screen_lines *lines)
{
	size_t room = 2 * lines->room + 64;
	struct screen_line *each = realloc(lines->each, room * sizeof *each);
	size_t *headings;

	if (each != NULL)
		lines->each = each;
	headings = realloc(lines->headings, room * sizeof *headings);
	if (headings != NULL)
		lines->headings = headings;
	if (each != NULL && headings != NULL)
		lines->room = room;
	return each != NULL && headings != NULL;
}

void
screen_fit(char *text, int width)
{
	size_t end, columns = 0;

	plain(text);
	for (end = 0; text[end] != '\0'; end++) {
		columns += ((unsigned char)text[end] & 0xc0) != 0x80;
		if (columns > (size_t)width)
			break;
	}
	if (text[end] == '\0' || width <= 0)
		return;
	do
		end--;
	while (end > 0 && ((unsigned char)text[end] & 0xc0) == 0x80);
	strcpy(text + end, "~");
}

void
screen_add(struct screen_lines *lines, enum screen_look look, const char *format, ...)
{
	struct screen_line *line;
	va_list arguments;

	if (lines->count == lines->room && !grow(lines))
		return;
	line = &lines->each[lines->count];
	line->look = look;
	va_start(arguments, format);
	vsnprintf(line->text, sizeof line->text, format, arguments);
	va_end(arguments);
	screen_fit(line->text, lines->width);
	lines->headings[lines->count] = lines->heading;
	if (look == SCREEN_HEADING)
		lines->heading = lines->count;
	lines->count++;
}

void
screen_explain(struct screen_lines *lines, const char *word, const char *meaning)
{
	int indent = lines->width < 60 ? 2 : 22, column;
	char text[SCREEN_LINE_SIZE];

	if (indent == 2) {
		screen_add(lines, SCREEN_PLAIN, "%s", word);
		word = "";
	}
	snprintf(text, sizeof text, "%-*s", indent, word);
	column = (int)strlen(text);
	while (*meaning != '\0') {
		int length = (int)strcspn(meaning, " ");

		if (column > indent && column + length > lines->width) {
			screen_add(lines, SCREEN_PLAIN, "%s", text);
			column = snprintf(text, sizeof text, "%*s", indent, "");
		}
		if (column + length + 2 > (int)sizeof text)
			break;
		column += snprintf(
			text + column, sizeof text - (size_t)column, "%.*s ", length, meaning);
		meaning += length + (meaning[length] == ' ');
	}
	screen_add(lines, SCREEN_PLAIN, "%s", text);
}

void
screen_join(char *text, int width, const char *format, ...)
{
	int length = (int)strlen(text), gap = length > 0 ? 2 : 0;
	char part[SCREEN_LINE_SIZE];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(part, sizeof part, format, arguments);
	va_end(arguments);
	if (length == 0 || length + gap + (int)strlen(part) <= width)
		snprintf(
			text + length, (size_t)(SCREEN_LINE_SIZE - length), "%*s%s", gap, "", part);
}

void
screen_free(struct screen_lines *lines)
{
	free(lines->each);
	free(lines->headings);
}
