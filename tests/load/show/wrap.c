/* A line is broken at blanks, which are left out there. */
#include "tests/load/show/wrap.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define FURTHER 4

unsigned
wrap_width(FILE *stream)
{
	struct winsize size;
	int fd = fileno(stream);

	return fd >= 0 && isatty(fd) && ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

unsigned
wrap_columns(const char *word, size_t length)
{
	unsigned columns = 0;

	for (size_t i = 0; i < length; i++) {
		if (word[i] == '\033') {
			while (i < length && word[i] != 'm')
				i++;
			continue;
		}
		columns += ((unsigned char)word[i] & 0xc0) != 0x80;
	}
	return columns;
}

static void
write_line(FILE *stream, unsigned width, const char *line, size_t length)
{
	unsigned indent = (unsigned)strspn(line, " ") + FURTHER, column = 0;
	bool has_word = false;

	for (size_t at = 0; at < length;) {
		unsigned blanks = (unsigned)strspn(line + at, " ");
		size_t word = strcspn(line + at + blanks, " \n");
		unsigned columns = wrap_columns(line + at + blanks, word);

		if (has_word && column + blanks + columns > width) {
			fprintf(stream, "\n%*s", (int)indent, "");
			column = indent;
		} else {
			fprintf(stream, "%*s", (int)blanks, "");
			column += blanks;
		}
		fwrite(line + at + blanks, 1, word, stream);
		column += columns;
		has_word = true;
		at += blanks + word;
	}
}

static void
write_lines(FILE *stream, unsigned width, const char *text)
{
	for (size_t length; *text != '\0'; text += length + (text[length] == '\n')) {
		length = strcspn(text, "\n");
		write_line(stream, width, text, length);
		if (text[length] == '\n')
			fputc('\n', stream);
	}
}

FILE *
wrap_begin(struct wrap *wrap, FILE *stream)
{
	*wrap = (struct wrap){.stream = stream, .width = wrap_width(stream)};
	if (wrap->width > 0)
		wrap->memory = open_memstream(&wrap->text, &wrap->length);
	return wrap->memory != NULL ? wrap->memory : stream;
}

void
wrap_end(struct wrap *wrap)
{
	if (wrap->memory == NULL)
		return;
	if (fclose(wrap->memory) == 0)
		write_lines(wrap->stream, wrap->width, wrap->text);
	free(wrap->text);
}
