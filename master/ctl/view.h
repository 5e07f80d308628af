/* The state of a server, for people: what status prints, and what top shows. */
#ifndef HUBBUB_CTL_VIEW_H
#define HUBBUB_CTL_VIEW_H

#include <jansson.h>
#include <stdio.h>

/* Prints the state. */
void view_print(FILE *stream, const json_t *state);

/* One line about one hub, without a newline. before: the state some seconds ago, for rates, or
 * NULL. */
void view_hub(char *line, int size, const json_t *worker, const json_t *hub, const json_t *before,
	double seconds);

/* The heading over such lines. */
extern const char view_hub_heading[];

/* A number of bytes or connections in five characters: "123", "12.3k". */
void view_short(char *text, int size, double number);

#endif
