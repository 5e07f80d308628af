/* stdio reports a failed write late or not at all, so every output ends here: the stream's error
 * flag and the result of the last flush decide whether the file is whole. */
#include "tests/load/show/outfile.h"

#include <errno.h>
#include <string.h>

#include "master/base/oversize.h"

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

/* Finds the errno of the write that left the stream in error, since errno may have changed: a
 * further write fails alike. Returns 0 if there is room by then; the output is incomplete in any
 * case. */
static int
ask_again(FILE *stream)
{
	clearerr(stream);
	errno = 0;
	return fputc('\n', stream) == EOF || fflush(stream) != 0 ? errno : 0;
}

bool
outfile_end(FILE *stream, const char *path)
{
	bool has_failed = ferror(stream) != 0;
	int error = has_failed ? ask_again(stream) : 0;

	errno = 0;
	if ((stream == stdout ? fflush(stream) : fclose(stream)) == 0 && !has_failed)
		return true;
	if (error == 0)
		error = errno;
	/* The failure is reported once: a later end of stdout must not report it again. */
	if (stream == stdout)
		clearerr(stdout);
	complain(path, error);
	return false;
}
