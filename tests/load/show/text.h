/* The output for people: a line before a run, a line for each interval, the final report. */
#ifndef HUBBUB_LOAD_TEXT_H
#define HUBBUB_LOAD_TEXT_H

#include <stdio.h>

#include "tests/load/show/result.h"
#include "tests/load/show/watcher.h"

/* Prints the load in one line, before a run. */
void text_describe(FILE *stream, const struct progress *progress);

/* Prints the header of the interval lines; and one such line. */
void text_columns(FILE *stream);
void text_interval(FILE *stream, const struct load *load, const struct interval *interval);

/* Whether text on the stream is to be coloured, by --color, the variables NO_COLOR and
 * CLICOLOR_FORCE, and the kind of the stream. */
bool text_has_color(const struct load *load, FILE *stream);

/* Prints the final report. */
void text_report(FILE *stream, const struct result *result);

#endif
