/* A summary for people. */
#ifndef HUBBUB_CTL_SUMMARY_VIEW_H
#define HUBBUB_CTL_SUMMARY_VIEW_H

#include <jansson.h>
#include <stdio.h>

/* Prints a summary (summary.h) as tables that leave out what does not fit the width; 0: none. */
void summary_print(FILE *stream, const json_t *summary, int width);

#endif
