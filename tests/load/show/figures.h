/* The figures of a page, drawn from a result. */
#ifndef HUBBUB_LOAD_FIGURES_H
#define HUBBUB_LOAD_FIGURES_H

#include <jansson.h>
#include <stdio.h>

/* Writes the figures that the result has data for. base is another result, whose curve is drawn in
 * grey, or NULL. */
void figures_write(FILE *page, const json_t *result, const json_t *base);

#endif
