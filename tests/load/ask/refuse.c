/* The one way out for wrong usage: a message on stderr, and exit code LOAD_USAGE. */
#include "tests/load/ask/refuse.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/load/ask/load.h"

void
refuse(const char *format, ...)
{
	va_list arguments;

	fprintf(stderr, "hubbub-load: ");
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(LOAD_USAGE);
}
