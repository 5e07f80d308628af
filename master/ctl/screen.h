/* Lines of text for a screen, none of which is wider than it. */
#ifndef HUBBUB_CTL_SCREEN_H
#define HUBBUB_CTL_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

#define SCREEN_LINE_SIZE 512

enum screen_look { SCREEN_PLAIN, SCREEN_BOLD, SCREEN_HEADING };

struct screen_line {
	char text[SCREEN_LINE_SIZE];
	enum screen_look look;
};

/* A list of lines. At first only the width is set; the rest is private but for each and count. */
struct screen_lines {
	struct screen_line *each;
	size_t *headings; /* of each line: which line is the heading that it stands under */
	size_t count, room, heading;
	int width; /* less than SCREEN_LINE_SIZE */
};

/* Makes it a line for a screen of that width: without control characters, and with "~" where it is
 * cut, between characters of UTF-8. */
void screen_fit(char *text, int width);

/* Appends a part to a line of SCREEN_LINE_SIZE bytes, behind two blanks, if it fits. */
__attribute__((format(printf, 3, 4))) void screen_join(
	char *text, int width, const char *format, ...);

/* Adds a line, cut to the width. Without memory it is missing. */
__attribute__((format(printf, 3, 4))) void screen_add(
	struct screen_lines *lines, enum screen_look look, const char *format, ...);

/* Adds a word and its meaning, wrapped between words. */
void screen_explain(struct screen_lines *lines, const char *word, const char *meaning);

void screen_free(struct screen_lines *lines);

#endif
