/* The state of a server as text for people: what status prints. */
#ifndef HUBBUB_CTL_VIEW_H
#define HUBBUB_CTL_VIEW_H

#include <jansson.h>
#include <stdio.h>

/* Prints the state, the JSON of status: the server, its tables, and its latest events. */
void view_print(FILE *stream, const json_t *state);

/* How many times the mean the fullest hub has; 0 where that says nothing: no hub that serves has a
 * connection, or there is only one. */
double view_imbalance(const json_t *state);

#endif
