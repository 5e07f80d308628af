/* stdio buffers what a program prints, so a full disk may show only at the last fflush: it is
 * checked here before the process exits with 0. EPIPE is no error worth a line, but still exit code
 * 1. */
#include "master/base/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hub/base/log.h"

#define TEXT_SIZE 2560

void
output_complain(const char *format, ...)
{
	const char *prefix = log_prefix(STDERR_FILENO, LOG_ERROR);
	char text[TEXT_SIZE], *rest = text;
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	if (log_is_json())
		log_put(&(struct log_entry){
			.level = LOG_ERROR, .message = text, .length = strlen(text)});
	else if (*prefix == '\0')
		fprintf(stderr, "%s: %s\n", program_invocation_short_name, text);
	else
		for (char *line; (line = strsep(&rest, "\n")) != NULL;)
			fprintf(stderr, "%s%s\n", prefix, line);
}

int
output_end(void)
{
	static bool is_said;
	bool had_failed = ferror(stdout) != 0;

	errno = 0;
	if (fflush(stdout) == 0 && !had_failed)
		return 0;
	/* EPIPE: the reader has closed the pipe on purpose, as head does. */
	if (!is_said && errno != EPIPE)
		output_complain("standard output cannot be written%s%s", errno != 0 ? ": " : "",
			errno != 0 ? strerror(errno) : "");
	is_said = true;
	return 1;
}

static void
check(void)
{
	if (output_end() != 0)
		_exit(1);
}

void
output_guard(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		/* Writing to a closed standard output must still fail, and every write to /dev/full
		 * does. */
		if (fcntl(fd, F_GETFD) == -1)
			open(fd == STDOUT_FILENO ? "/dev/full" : "/dev/null", O_RDWR);
	atexit(check);
}
