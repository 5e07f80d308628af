/* What top shows of a server: lines of text for a screen of any size, and what its keys change. It
 * knows no terminal. */
#ifndef HUBBUB_CTL_PICTURE_H
#define HUBBUB_CTL_PICTURE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "master/ctl/screen.h"

#define PICTURE_FILTER_SIZE 32

/* What the one who looks has chosen; {0} at first. */
struct picture {
	unsigned sort; /* a column of the table of hubs, from 1; 0: the server's order */
	bool is_reversed, is_typing, shows_help;
	char filter[PICTURE_FILTER_SIZE]; /* only hubs whose line has it are shown */
	size_t first;                     /* lines above the screen */
};

/* Keys that are no characters. */
enum { PICTURE_ERASE = '\b', PICTURE_ESCAPE = 27 };

/* Applies a key, a character. Returns false if it asks for the end. */
bool picture_key(struct picture *picture, int key);

/* Writes so many lines, of at most so many columns. before is the state `seconds` ago, or NULL. A
 * place beyond the end becomes the last one. */
void picture_compose(struct picture *picture, struct screen_line *lines, unsigned rows, int width,
	const json_t *state, const json_t *before, double seconds);

#endif
