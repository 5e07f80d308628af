/* What people read: the line before a run, a line for each interval, and the final report. */
#ifndef HUBBUB_LOAD_TEXT_H
#define HUBBUB_LOAD_TEXT_H

#include <stdio.h>

#include "tests/load/show/result.h"
#include "tests/load/show/watcher.h"

/* The load in one line. */
void text_describe(FILE *stream, const struct progress *progress);

/* The columns' names, and one line of them. */
void text_columns(FILE *stream);
void text_interval(FILE *stream, const struct load *load, const struct interval *interval);

/* Whether text on the stream is coloured: as --color says, NO_COLOR, and what the stream is. */
bool text_has_color(const struct load *load, FILE *stream);

/* The final report. */
void text_report(FILE *stream, const struct result *result);

#endif
