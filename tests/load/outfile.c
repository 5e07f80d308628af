#include "tests/load/outfile.h"

#include <errno.h>
#include <string.h>

#include "master/oversize.h"

static void
complain(const char *path, int error)
{
	fprintf(stderr, "hubbub-load: %s cannot be written: %s%s\n",
		strcmp(path, "-") == 0 ? "the standard output" : path,
		error != 0 ? strerror(error) : "an earlier write failed", oversize_advice(error));
}

FILE *
outfile_open(const char *path)
{
	FILE *stream = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");

	if (stream == NULL)
		complain(path, errno);
	return stream;
}

bool
outfile_end(FILE *stream, const char *path)
{
	/* Of a write that failed before, errno may be another call's by now. */
	bool has_failed = ferror(stream) != 0;
	int error;

	errno = 0;
	if ((stream == stdout ? fflush(stream) : fclose(stream)) == 0 && !has_failed)
		return true;
	error = errno;
	/* It is said once. */
	if (stream == stdout)
		clearerr(stdout);
	complain(path, error);
	return false;
}
