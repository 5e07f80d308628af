/* A result as one HTML page with plots. The page refers to no other file or site, so it opens
 * offline. */
#ifndef HUBBUB_LOAD_PAGE_H
#define HUBBUB_LOAD_PAGE_H

#include <jansson.h>
#include <stdbool.h>

/* Writes the page to the file at path, or to stdout for "-". base is another result, whose curve is
 * drawn in grey, or NULL. Returns false after a message on stderr. */
bool page_write(const char *path, const json_t *result, const json_t *base);

#endif
