/* Plots by gnuplot, as SVG to put into a page. */
#ifndef HUBBUB_LOAD_PLOT_H
#define HUBBUB_LOAD_PLOT_H

#include <stdbool.h>
#include <stdio.h>

/* One plot under construction: a gnuplot script with its data, written to stream. */
struct plot {
	FILE *stream;
	char *script;
	size_t length;
	const char *name;
};

/* Whether gnuplot is there; if not, a message on stderr says how to install it. */
bool plot_is_possible(void);

/* Begins one; terminal, colours and grid are set. name is unique in the page. Returns false if
 * there is no memory. */
bool plot_begin(struct plot *plot, const char *name);

/* Runs the script and writes the figure, with a caption and a text for those who cannot see it, to
 * page. Ends the plot. */
void plot_end(struct plot *plot, FILE *page, const char *caption, const char *alternative);

/* Writes text, or nothing for NULL, with what HTML would take for markup escaped. */
void plot_escape(FILE *page, const char *text);

/* The page's head with style, up to and with <h1>; and its end. */
void plot_open_page(FILE *page, const char *title);
void plot_close_page(FILE *page);

#endif
