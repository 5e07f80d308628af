/* Log lines of a program to stderr: one write(2) per line, so that lines of many processes never
 * mix. A line that would have to wait, because whoever reads stderr does not, is dropped and
 * counted. Libraries return errors; only the process that decides what an error means logs it,
 * once, with what failed, on what, why, and what to do about it. */
#ifndef HUBBUB_BASE_LOG_H
#define HUBBUB_BASE_LOG_H

#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG, LOG_LEVEL_MAX };
enum log_format { LOG_TEXT, LOG_JSON, LOG_FORMAT_MAX };

/* Spellings for command lines, indexed by the enums. */
extern const char *const log_level_names[LOG_LEVEL_MAX];
extern const char *const log_format_names[LOG_FORMAT_MAX];

/* Sets what is logged, how, and which program's name each line bears (borrowed for ever). Call it
 * before threads start; until then level info, format text, name "hubbub". */
void log_setup(const char *program, enum log_level level, enum log_format format);

/* Logs one line; a newline or control character in the message is written as a space. Keeps errno.
 * Any thread; not from a signal handler. */
void log_write(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Writes text, which ends with a newline, as it is, whatever the level and format; dropped as a log
 * line is. Keeps errno. */
void log_bare(const char *text, size_t length);

/* The ending of the noun behind a number: "" of one, otherwise that of its plural. */
static inline const char *
log_plural(uint64_t count, const char *ending)
{
	return count == 1 ? "" : ending;
}

#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_WARNING, __VA_ARGS__)
#define log_info(...) log_write(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)

#endif
