#include "hub/base/log.h"

#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "hub/base/kernel.h"
#include "hub/base/printable.h"

const char *const log_level_names[LOG_LEVEL_MAX] = {
	[LOG_ERROR] = "error",
	[LOG_WARNING] = "warning",
	[LOG_INFO] = "info",
	[LOG_DEBUG] = "debug",
};

const char *const log_format_names[LOG_FORMAT_MAX] = {
	[LOG_TEXT] = "text",
	[LOG_JSON] = "json",
};

static struct {
	const char *program;
	enum log_level level;
	enum log_format format;
} log_settings = {"hubbub", LOG_INFO, LOG_TEXT};

void
log_setup(const char *program, enum log_level level, enum log_format format)
{
	log_settings.program = program;
	log_settings.level = level;
	log_settings.format = format;
}

static void
format_time(char *text, size_t size)
{
	struct timespec now;
	struct tm utc;
	char seconds[32];

	kernel_clock(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	strftime(seconds, sizeof seconds, "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(text, size, "%s.%03ldZ", seconds, now.tv_nsec / 1000000);
}

static int
format_json(char *line, size_t size, const char *when, enum log_level level, const char *message)
{
	json_t *object = json_pack("{s:s, s:s, s:o, s:i, s:o}", "time", when, "level",
		log_level_names[level], "program", printable_json(log_settings.program), "pid",
		(int)kernel_getpid(), "message", printable_json(message));
	int length = -1;

	if (object != NULL) {
		length = (int)json_dumpb(object, line, size - 1, JSON_COMPACT);
		json_decref(object);
	}
	/* A message that is longer than the line, or no memory. */
	if (length <= 0 || length > (int)size - 1)
		length = snprintf(line, size, "{\"level\":\"%s\",\"message\":\"(unprintable)\"}",
			log_level_names[level]);
	line[length] = '\n';
	return length + 1;
}

void
log_bare(const char *text, size_t length)
{
	static unsigned dropped; /* by any thread; a lost count is no harm */
	struct pollfd query = {.fd = STDERR_FILENO, .events = POLLOUT};
	int saved = errno;

	/* A pipe that is writable takes PIPE_BUF bytes at least, more than any line has. Two
	 * processes may see the same room; O_NONBLOCK would be set for everyone who shares it. */
	if (kernel_poll_now(&query, 1) == 1 && !(query.revents & POLLOUT)) {
		errno = saved;
		return;
	}
	if (query.revents == 0) {
		__atomic_fetch_add(&dropped, 1, __ATOMIC_RELAXED);
	} else {
		unsigned count = __atomic_exchange_n(&dropped, 0, __ATOMIC_RELAXED);

		if (count > 0)
			kernel_dprintf(
				STDERR_FILENO, "(%u lines dropped: nobody read them)\n", count);
		if (kernel_write(STDERR_FILENO, text, length) < 0)
			errno = saved;
	}
	errno = saved;
}

void
log_write(enum log_level level, const char *format, ...)
{
	char when[64], message[900], line[2048];
	int length, saved = errno;
	va_list arguments;

	if (level > log_settings.level)
		return;
	va_start(arguments, format);
	vsnprintf(message, sizeof message, format, arguments);
	va_end(arguments);
	for (char *c = message; *c != '\0'; c++)
		if ((unsigned char)*c < ' ')
			*c = ' ';
	format_time(when, sizeof when);
	if (log_settings.format == LOG_JSON)
		length = format_json(line, sizeof line, when, level, message);
	else
		length = snprintf(line, sizeof line, "%s %-7s %s[%d]: %s\n", when,
			log_level_names[level], log_settings.program, (int)kernel_getpid(),
			message);
	log_bare(line, (size_t)length);
	errno = saved;
}
