/* The state of a server as text for people: what status prints, and the lines of top. A state is
 * the JSON of status, borrowed. */
#ifndef HUBBUB_CTL_VIEW_H
#define HUBBUB_CTL_VIEW_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* Prints the state: the server, its hubs, and its latest events. */
void view_print(FILE *stream, const json_t *state);

/* Writes a line about a hub, without a newline. before is the state `seconds` ago, from which rates
 * are computed; NULL: no rates. */
void view_hub(char *line, int size, const json_t *worker, const json_t *hub, const json_t *before,
	double seconds);

/* Writes such a line about a worker that has no hub, as before it is started again. */
void view_worker(char *line, int size, const json_t *worker);

/* The heading of these lines. */
extern const char view_hub_heading[];

/* How many times the mean the fullest hub has; 0 where that says nothing: no hub that serves has a
 * connection, or there is only one. */
double view_imbalance(const json_t *state);

/* Writes a number in at most five characters: "123", "12.3k". */
void view_short(char *text, int size, double number);

/* Writes how many requests a hub has served, and how long they took lately; or the whole server:
 * NULL for worker and hub. Without a newline. */
void view_requests(char *line, int size, const json_t *worker, const json_t *hub,
	const json_t *state, const json_t *before, double seconds);

/* The heading of these lines. */
extern const char view_requests_heading[];

/* Whether the service has said what a request is (hubbub_busy), so that there is something to
 * show. */
bool view_has_requests(const json_t *state);

/* Writes what is counted of a listener, by its index among those in use, without a newline. False
 * if there is none, or it is the only one: then the totals are all. */
bool view_listener(char *line, int size, const json_t *state, size_t index);

/* The heading of these lines. */
extern const char view_listeners_heading[];

/* Writes a metric of the service's own, without a newline. */
void view_metric(char *line, int size, const char *name, const json_t *value);

#endif
