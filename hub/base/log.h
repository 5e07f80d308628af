/* Log lines of a program to stderr: one write(2) per line, so that lines of many processes never
 * mix. Where that is the journal (base/journal.h) a line begins with its level as the journal wants
 * it, and a text line has neither time nor name, which the journal adds itself. A line that would
 * have to wait, because whoever reads stderr does not, or that finds no room (a full disk, a limit
 * on file size, a pipe that nobody has open), is lost and counted; the next one that is written
 * says so. Libraries return errors; only the process that decides what an error means logs it,
 * once, with what failed, on what, why, and what to do about it. */
#ifndef HUBBUB_BASE_LOG_H
#define HUBBUB_BASE_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "hub/base/inside.h"

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG, LOG_LEVEL_MAX };
enum log_format { LOG_TEXT, LOG_JSON, LOG_FORMAT_MAX };

/* Spellings for command lines, indexed by the enums. */
extern const char *const log_level_names[LOG_LEVEL_MAX] HUB_INSIDE(log_level_names);
extern const char *const log_format_names[LOG_FORMAT_MAX] HUB_INSIDE(log_format_names);

/* Sets what is logged, how, and which program's name each line bears (borrowed for ever). Call it
 * before threads start; until then level info, format text, name "hubbub". */
void log_setup(const char *program, enum log_level level, enum log_format format)
	HUB_INSIDE(log_setup);

/* Makes a line, with a newline, of at most size bytes. Returns its length. */
typedef int log_line_fn(char *line, size_t size, const char *when, const char *level,
	const char *program, const char *message);

/* Who makes the lines of LOG_JSON, which needs more than this library has; until then they are
 * text. Before threads start. */
void log_json_by(log_line_fn *make) HUB_INSIDE(log_json_by);

/* Adds each line that is lost to *counter from now on, which stays the caller's and may be shared
 * with other processes, and what this process has lost so far. NULL: counted for the next call.
 * Any thread. */
void log_count_lost(uint64_t *counter) HUB_INSIDE(log_count_lost);

/* In a new process: what its parent has lost so far is for the parent to say. */
void log_forget_lost(void) HUB_INSIDE(log_forget_lost);

/* Logs one line; a newline or control character in the message is written as a space. Keeps errno.
 * Any thread; not from a signal handler. */
void log_write(enum log_level level, const char *format, ...) HUB_INSIDE(log_write)
	__attribute__((format(printf, 2, 3)));

/* Writes text, which ends with a newline, as it is, whatever is logged and how; in the journal each
 * of its lines has that level. Lost as a log line is. Keeps errno. */
void log_bare(enum log_level level, const char *text, size_t length) HUB_INSIDE(log_bare);

/* What a line that is written to fd without this log begins with: its level, "<3>", if that is the
 * journal, or else "". Keeps errno; async-signal-safe. */
const char *log_prefix(int fd, enum log_level level) HUB_INSIDE(log_prefix);

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
