/* Plots by gnuplot, as SVG inside a page; and the frame of such pages. */
#ifndef HUBBUB_LOAD_PLOT_H
#define HUBBUB_LOAD_PLOT_H

#include <stdbool.h>
#include <stdio.h>

/* A plot under construction: a gnuplot script with its data, which the caller writes to stream. */
struct plot {
	FILE *stream;
	char *script;
	size_t length;
	const char *name; /* unique in the page; borrowed */
};

/* Whether gnuplot is installed. If it is not, a message on stderr says how to install it. */
bool plot_is_possible(void);

/* Begins a plot with its terminal, colours and grid. name is unique in the page, and borrowed.
 * Returns false if there is no memory. */
bool plot_begin(struct plot *plot, const char *name);

/* Ends the plot: runs the script and writes the figure to page, with a caption, and an alternative
 * text for screen readers. */
void plot_end(struct plot *plot, FILE *page, const char *caption, const char *alternative);

/* Writes text with HTML's special characters escaped; nothing for NULL. */
void plot_escape(FILE *page, const char *text);

/* Writes the page's head with its style, up to and including <h1>; and the page's end. */
void plot_open_page(FILE *page, const char *title);
void plot_close_page(FILE *page);

#endif
