/* A result as one HTML page with plots: nothing is loaded from elsewhere, so it opens offline and
 * prints. */
#ifndef HUBBUB_LOAD_PAGE_H
#define HUBBUB_LOAD_PAGE_H

#include <jansson.h>
#include <stdbool.h>

/* Writes the page to a path, or stdout for "-". base, another result to be drawn in grey, may be
 * NULL. Returns false after a message on stderr. */
bool page_write(const char *path, const json_t *result, const json_t *base);

#endif
