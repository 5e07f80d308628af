/* Log lines of a program on standard error: one write(2) per line, so that lines of several
 * processes never mix. If standard error leads to systemd's journal (base/journal.h), a line begins
 * with its level as the journal wants it, and a text line has neither time nor name, which the
 * journal adds. A line that would block, because the reader of stderr does not read, or that finds
 * no room (a full disk, a limit on file size, a pipe without a reader), is lost and counted; the
 * next line that is written tells how many. Libraries return errors; only the process that decides
 * what an error means logs it, once, with what failed, on what, why, and what to do about it. */
#ifndef HUBBUB_BASE_LOG_H
#define HUBBUB_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hub/base/inside.h"
#include "hub/base/log_entry.h"

enum log_format { LOG_TEXT, LOG_JSON, LOG_FORMAT_MAX };

/* Spellings for command lines, indexed by the enums. */
extern const char *const log_level_names[LOG_LEVEL_MAX] HUB_INSIDE(log_level_names);
extern const char *const log_format_names[LOG_FORMAT_MAX] HUB_INSIDE(log_format_names);

/* Sets the level that is logged, the format, and the program's name in each line (borrowed for
 * ever). Call before threads start. Until then: level info, format text, name "hubbub". */
void log_setup(const char *program, enum log_level level, enum log_format format)
	HUB_INSIDE(log_setup);

/* Bytes of a line with its newline, at most: a pipe takes that many in one piece. */
#define LOG_LINE_MAX 4000
/* Writes a line, newline included, of at most size bytes, in which each text is cut to most bytes.
 * Returns its length, or 0 if it is longer. */
typedef size_t log_line_fn(char *line, size_t size, size_t most, const char *when,
	const char *program, const struct log_entry *entry);

/* Sets the function that writes lines of LOG_JSON, which takes more than this library has. Until
 * then they are text. Call before threads start. */
void log_json_by(log_line_fn *make) HUB_INSIDE(log_json_by);

/* The lines go to fd from now on, which the caller keeps open; until then to standard error. If fd
 * is another, what is written to standard error without this log begins with its level, because its
 * reader puts it into the log. Any thread. */
void log_to(int fd) HUB_INSIDE(log_to);

/* Whether lines for standard error are objects: it is the log, the format is LOG_JSON, and its
 * function is set. Async-signal-safe. */
bool log_is_json(void) HUB_INSIDE(log_is_json);

/* The file descriptor to which the lines go. Async-signal-safe. */
int log_descriptor(void) HUB_INSIDE(log_descriptor);

/* Whether lines of this level are logged. */
bool log_wants(enum log_level level) HUB_INSIDE(log_wants);

/* Logs an entry, whatever level is logged: in text as log_text.h says. Keeps errno. Any thread; not
 * from a signal handler. */
void log_put(const struct log_entry *entry) HUB_INSIDE(log_put);

/* Writes an entry to another file than the log, whatever level is logged: with time and name, and
 * as LOG_JSON says. Returns false with errno if the line is lost, which counts as a lost line of
 * the log. Any thread; not from a signal handler. */
bool log_put_in(int file, const struct log_entry *entry) HUB_INSIDE(log_put_in);

/* From now on adds each lost line to *counter, and at once the lines that this process has lost so
 * far. The counter stays the caller's, and may be shared with other processes. NULL: lost lines are
 * kept for the next call. Any thread. */
void log_count_lost(uint64_t *counter) HUB_INSIDE(log_count_lost);

/* From now on calls observe with each line that is logged, without time and program, in the thread
 * that logs it; NULL for none. Any thread. */
void log_observe(void (*observe)(enum log_level level, const char *text, size_t length))
	HUB_INSIDE(log_observe);

/* In a forked child: forgets the lines that its parent has lost, which the parent reports. */
void log_forget_lost(void) HUB_INSIDE(log_forget_lost);

/* Logs one line; newlines and control characters of the message become spaces. Keeps errno. Any
 * thread; not from a signal handler. */
void log_write(enum log_level level, const char *format, ...) HUB_INSIDE(log_write)
	__attribute__((format(printf, 2, 3)));

/* Writes text, which ends with a newline, to standard error, unchanged and whatever level is
 * logged; in the journal each of its lines has this level. Where lines are JSON, each line is the
 * message of an object. Lines are lost as log lines are. Keeps errno. */
void log_bare(enum log_level level, const char *text, size_t length) HUB_INSIDE(log_bare);

/* What a fault of the program says, which may be its end: writes a line to standard error, as
 * log_bare does, and waits for its reader, a second at most. A long text is cut. Returns whether it
 * was written. Async-signal-safe. */
bool log_fault(const char *text) HUB_INSIDE(log_fault);

/* The beginning of a line that is written to fd without this log: its level, "<3>", if fd leads to
 * the journal, or is standard error and not the log; or else "". Keeps errno; async-signal-safe. */
const char *log_prefix(int fd, enum log_level level) HUB_INSIDE(log_prefix);

/* The ending of a noun behind a count: "" for 1, else that of the plural. */
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
