/* gnuplot reads a script from a temporary file and prints SVG, which goes inline into the page. A
 * plot that fails is replaced by a sentence: the page is written in any case. */
#include "tests/load/show/plot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool
plot_is_possible(void)
{
	if (system("command -v gnuplot >/dev/null 2>&1") == 0)
		return true;
	fprintf(stderr, "hubbub-load: plots need gnuplot: apt-get install gnuplot-nox\n");
	return false;
}

bool
plot_begin(struct plot *plot, const char *name)
{
	*plot = (struct plot){.name = name};
	plot->stream = open_memstream(&plot->script, &plot->length);
	if (plot->stream == NULL)
		return false;
	fprintf(plot->stream,
		"set terminal svg size 860,340 dynamic font 'sans-serif,13' name '%s'\n"
		"set encoding utf8\n"
		"set border 3 linewidth 0.8\n"
		"set rmargin 5\n"
		"set tics nomirror\n"
		"set grid ytics linewidth 0.4 linecolor rgb '#b8b8b8'\n"
		"set key outside top center horizontal noenhanced samplen 2\n"
		"set linetype 1 linecolor rgb '#2f6fb0' linewidth 2\n"
		"set linetype 2 linecolor rgb '#d9822b' linewidth 2\n"
		"set linetype 3 linecolor rgb '#b03a4a' linewidth 2\n"
		"set linetype 4 linecolor rgb '#5a9a56' linewidth 2\n"
		"set linetype 5 linecolor rgb '#8a8a8a' linewidth 2\n",
		name);
	return true;
}

/* Runs gnuplot on the script. Returns its output from "<svg" on, which the caller frees; NULL on
 * failure. */
static char *
run_gnuplot(const char *script, size_t length)
{
	char path[] = "/tmp/hubbub-plot-XXXXXX", command[64], *svg = NULL, *start;
	int fd = mkostemp(path, 02000000 /* O_CLOEXEC */);
	size_t size = 0, got;
	FILE *output = NULL, *memory;
	char buffer[4096];

	if (fd == -1)
		return NULL;
	if (write(fd, script, length) == (ssize_t)length) {
		snprintf(command, sizeof command, "gnuplot %s 2>/dev/null", path);
		output = popen(command, "re");
	}
	memory = output != NULL ? open_memstream(&svg, &size) : NULL;
	while (memory != NULL && (got = fread(buffer, 1, sizeof buffer, output)) > 0)
		fwrite(buffer, 1, got, memory);
	if (memory != NULL)
		fclose(memory);
	if (output != NULL && pclose(output) != 0) {
		free(svg);
		svg = NULL;
	}
	close(fd);
	unlink(path);
	start = svg != NULL ? strstr(svg, "<svg") : NULL;
	if (start != NULL)
		memmove(svg, start, strlen(start) + 1);
	return svg;
}

void
plot_end(struct plot *plot, FILE *page, const char *caption, const char *alternative)
{
	char *svg;

	fclose(plot->stream);
	svg = run_gnuplot(plot->script, plot->length);
	fprintf(page, "<figure tabindex=\"0\" role=\"img\" aria-label=\"");
	plot_escape(page, alternative);
	fprintf(page, "\"><figcaption>");
	plot_escape(page, caption);
	fprintf(page, "</figcaption>\n%s\n</figure>\n",
		svg != NULL ? svg : "<p>gnuplot could not draw this.</p>");
	free(svg);
	free(plot->script);
}

void
plot_escape(FILE *page, const char *text)
{
	for (; text != NULL && *text != '\0'; text++)
		switch (*text) {
		case '<':
			fputs("&lt;", page);
			break;
		case '>':
			fputs("&gt;", page);
			break;
		case '&':
			fputs("&amp;", page);
			break;
		case '"':
			fputs("&quot;", page);
			break;
		default:
			fputc(*text, page);
		}
}

void
plot_open_page(FILE *page, const char *title)
{
	fputs("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>",
		page);
	plot_escape(page, title);
	fputs("</title>\n<style>\n"
	      ":root{--ink:#1c1f23;--paper:#fff;--soft:#5c636b;--line:#d8dce0;--good:#2d7d46;"
	      "--bad:#b03a4a}\n"
	      "@media(prefers-color-scheme:dark){:root{--ink:#e6e8ea;--paper:#16191c;--soft:#"
	      "9aa2aa;"
	      "--line:#343a40;--good:#6cc08b;--bad:#e58290}}\n"
	      "body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);"
	      "max-width:920px;margin:2rem auto;padding:0 1rem}\n"
	      "h1{font-size:1.4rem}h2{font-size:1.1rem;margin:2rem 0 .5rem}\n"
	      ".verdict{border-left:.5rem solid var(--good);padding:.3rem 1rem;margin:1rem 0}\n"
	      ".verdict.bad{border-color:var(--bad)}\n"
	      "table{border-collapse:collapse;margin:.5rem 0}"
	      "td,th{padding:.15rem .8rem .15rem 0;text-align:right;"
	      "border-bottom:1px solid var(--line)}\n"
	      "td:first-child,th:first-child{text-align:left}\n"
	      "th[scope=row]{font-weight:400}th{vertical-align:bottom}"
	      "small{color:var(--soft);font-weight:400}\n"
	      ".facts td{text-align:left;overflow-wrap:anywhere}\n"
	      "tr.best td{font-weight:700}\n"
	      "figure{margin:1.5rem 0;overflow-x:auto}figcaption{font-weight:600}\n"
	      "svg{width:100%;min-width:36rem;height:auto;background:none}svg text{fill:var(--ink)}"
	      "svg path[stroke=black],svg g[stroke=black] path{stroke:var(--ink)}\n"
	      "code,pre{font:.85rem/1.4 ui-monospace,monospace;overflow-wrap:anywhere;"
	      "white-space:pre-wrap}\n"
	      ".soft{color:var(--soft)}\n"
	      "@media print{body{max-width:none}figure{break-inside:avoid}}\n"
	      "</style></head><body>\n<h1>",
		page);
	plot_escape(page, title);
	fputs("</h1>\n", page);
}

void
plot_close_page(FILE *page)
{
	fputs("</body></html>\n", page);
}
