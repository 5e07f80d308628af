/* Settings are made before threads start, and only read after that; counts of lost lines are
 * atomic. */
#include "hub/base/log.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "hub/base/journal.h"
#include "hub/base/kernel.h"
#include "hub/base/log_text.h"

/* How long a fault waits for its reader: tries, and nanoseconds between two of them. */
#define FAULT_TRIES 100
#define FAULT_PAUSE 10000000

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

/* The levels of syslog(3), as in sd-daemon(3). */
static const char *const prefixes[LOG_LEVEL_MAX] = {
	[LOG_ERROR] = "<3>",
	[LOG_WARNING] = "<4>",
	[LOG_INFO] = "<6>",
	[LOG_DEBUG] = "<7>",
};

static struct {
	const char *program;
	enum log_level level;
	enum log_format format;
	log_line_fn *json_line;
	int fd; /* may change while threads log */
} log_settings = {"hubbub", LOG_INFO, LOG_TEXT, NULL, STDERR_FILENO};

/* Lines that were lost. Written by any thread. */
static struct {
	uint64_t unsaid;    /* not yet told of by a line that was written */
	uint64_t uncounted; /* not yet added to a counter, for lack of one */
	uint64_t *counter;
	bool is_torn; /* the last write ended within a line */
} losses;

void
log_setup(const char *program, enum log_level level, enum log_format format)
{
	log_settings.program = program;
	log_settings.level = level;
	log_settings.format = format;
	journal_read_environment();
}

void
log_json_by(log_line_fn *make)
{
	log_settings.json_line = make;
}

void
log_to(int fd)
{
	__atomic_store_n(&log_settings.fd, fd, __ATOMIC_RELAXED);
}

int
log_descriptor(void)
{
	return __atomic_load_n(&log_settings.fd, __ATOMIC_RELAXED);
}

/* Standard error that is not the log is read line by line, into the log. */
const char *
log_prefix(int fd, enum log_level level)
{
	bool is_read = fd == STDERR_FILENO && log_descriptor() != STDERR_FILENO;

	return is_read || journal_is(fd) ? prefixes[level] : "";
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

/* Writes an entry as a line of text; as log_line_fn. The journal knows who writes; only of a line
 * of another process is it told. */
static size_t
text_line(char *line, size_t size, size_t most, const char *when, const char *program,
	const struct log_entry *entry)
{
	bool is_journal = !entry->is_beside && journal_is(log_descriptor());
	size_t start = 0, end;

	if (!is_journal)
		start = (size_t)snprintf(line, size, "%s %-7s %s[%d]: ", when,
			log_level_names[entry->level], program,
			entry->pid != 0 ? entry->pid : (int)kernel_getpid());
	if (start >= size)
		return 0;
	end = start + log_text(line + start, size - start - 1, most, entry);
	if (end < size && is_journal && entry->pid != 0)
		end += (size_t)snprintf(line + end, size - end, " pid=%d", entry->pid);
	if (end >= size)
		return 0;
	line[end] = '\n';
	return end + 1;
}

/* Formats an entry as a whole line, without its prefix, as the settings and the log want it.
 * The longest texts of an entry that is too long are cut until it fits; if its names alone are too
 * long, all of it is. Returns the line's length. */
static size_t
format_line(char *line, size_t size, const struct log_entry *entry)
{
	bool has_json = log_settings.format == LOG_JSON && log_settings.json_line != NULL;
	log_line_fn *make = has_json ? log_settings.json_line : text_line;
	struct log_entry mark = {
		.level = entry->level, .message = LOG_CUT, .length = strlen(LOG_CUT)};
	size_t length = 0;
	char when[64];

	format_time(when, sizeof when);
	for (size_t most = size; length == 0 && most > 0; most /= 2)
		length = make(line, size, most, when, log_settings.program, entry);
	return length > 0 ? length : make(line, size, size, when, log_settings.program, &mark);
}

/* ---- lines that are lost ---- */

/* Whether fd, a pipe or another file, takes a line without blocking: a pipe that is writable takes
 * PIPE_BUF bytes at least, more than any line has. */
static bool
has_room(int fd)
{
	struct pollfd query = {.fd = fd, .events = POLLOUT};
	int found = kernel_poll_now(&query, 1);

	/* If poll(2) fails, a line that may block is better than none. */
	return found < 0 || (found == 1 && (query.revents & POLLOUT));
}

/* Writes what fd takes without waiting for its reader. The file is shared with other processes: so
 * no O_NONBLOCK, which would be set for all of them, and where the kernel can be told for a single
 * call, no poll(2) before, since two processes may see the same room. Before Linux 6.4 pipes have
 * only that. */
static ssize_t
write_now(int fd, const struct iovec *parts, int count)
{
	struct msghdr message = {
		.msg_iov = (struct iovec *)(uintptr_t)parts, .msg_iovlen = (size_t)count};
	struct stat status;
	mode_t kind = kernel_fstat(fd, &status) == 0 ? status.st_mode & S_IFMT : 0;
	ssize_t taken;

	if (kind == S_IFSOCK)
		return kernel_sendmsg(fd, &message, MSG_DONTWAIT);
	if (kind == S_IFIFO) {
		taken = kernel_pwritev2(fd, parts, count, -1, RWF_NOWAIT);
		if (taken != -1 || (errno != EOPNOTSUPP && errno != ENOSYS && errno != EPERM))
			return taken;
	}
	if (has_room(fd))
		return kernel_writev(fd, parts, count);
	errno = EAGAIN;
	return -1;
}

/* Writes prefix and text in one piece. Returns whether all of it was taken. */
static bool
put(int fd, const char *prefix, const char *text, size_t length)
{
	size_t before = strlen(prefix), all = before + length;
	struct iovec parts[] = {
		{(char *)(uintptr_t)prefix, before}, {(char *)(uintptr_t)text, length}};
	ssize_t taken = write_now(fd, parts, 2);

	if (taken > 0 && fd == log_descriptor())
		__atomic_store_n(&losses.is_torn, (size_t)taken < all || text[length - 1] != '\n',
			__ATOMIC_RELAXED);
	return taken == (ssize_t)all;
}

/* Tells how many lines were lost, before the next line is written; behind half a line it begins on
 * a line of its own. Returns false if there is no room for that either. */
static bool
report_lost(void)
{
	uint64_t count = __atomic_exchange_n(&losses.unsaid, 0, __ATOMIC_RELAXED);
	char message[128], line[512], prefix[8];
	int log = log_descriptor();
	size_t length;

	if (count == 0)
		return true;
	length = (size_t)snprintf(message, sizeof message,
		"%lu log line%s lost: nobody read, or there was no room (a full disk?)",
		(unsigned long)count, count == 1 ? " is" : "s are");
	length = format_line(line, sizeof line,
		&(struct log_entry){.level = LOG_WARNING, .message = message, .length = length});
	snprintf(prefix, sizeof prefix, "%s%s",
		__atomic_load_n(&losses.is_torn, __ATOMIC_RELAXED) ? "\n" : "",
		log_prefix(log, LOG_WARNING));
	if (put(log, prefix, line, length))
		return true;
	__atomic_fetch_add(&losses.unsaid, count, __ATOMIC_RELAXED);
	return false;
}

void
log_count_lost(uint64_t *counter)
{
	uint64_t before;

	__atomic_store_n(&losses.counter, counter, __ATOMIC_RELEASE);
	if (counter == NULL)
		return;
	before = __atomic_exchange_n(&losses.uncounted, 0, __ATOMIC_RELAXED);
	__atomic_fetch_add(counter, before, __ATOMIC_RELAXED);
}

void
log_forget_lost(void)
{
	__atomic_store_n(&losses.unsaid, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&losses.uncounted, 0, __ATOMIC_RELAXED);
}

static void
count_lost(void)
{
	uint64_t *counter = __atomic_load_n(&losses.counter, __ATOMIC_ACQUIRE);

	__atomic_fetch_add(&losses.unsaid, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(counter != NULL ? counter : &losses.uncounted, 1, __ATOMIC_RELAXED);
}

static void
write_to(int fd, enum log_level level, const char *text, size_t length)
{
	const char *end = text + length, *prefix = log_prefix(fd, level);
	int saved = errno;

	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		/* In the journal each line gets the prefix; elsewhere the text goes out in one
		 * piece. */
		size_t size = newline != NULL && *prefix != '\0' ? (size_t)(newline + 1 - text)
								 : (size_t)(end - text);

		if (!report_lost() || !put(fd, prefix, text, size))
			count_lost();
		text += size;
	}
	errno = saved;
}

bool
log_is_json(void)
{
	return log_settings.format == LOG_JSON && log_settings.json_line != NULL &&
	       log_descriptor() == STDERR_FILENO;
}

void
log_bare(enum log_level level, const char *text, size_t length)
{
	const char *end = text + length;

	if (!log_is_json()) {
		write_to(STDERR_FILENO, level, text, length);
		return;
	}
	for (size_t line; text < end; text += line + 1) {
		line = (size_t)((const char *)memchr(text, '\n', (size_t)(end - text)) - text);
		log_put(&(struct log_entry){.level = level, .message = text, .length = line});
	}
}

/* Adds the bytes as they may stand in a string of JSON: the others become '?'. */
static size_t
add_plain(char *line, size_t length, size_t size, const char *text)
{
	for (; *text != '\0' && length + 1 < size; text++) {
		if (*text == '"' || *text == '\\')
			line[length++] = '\\';
		line[length++] = *text >= ' ' && *text < 0x7f ? *text : '?';
	}
	return length;
}

static size_t
add(char *line, size_t length, const char *text)
{
	memcpy(line + length, text, strlen(text));
	return length + strlen(text);
}

/* Writes a line. Its reader has a second for that: what has gone wrong should be known, but a
 * process that waited for ever would neither end nor go on. */
static bool
write_in_time(int fd, char *line, size_t length)
{
	const struct iovec part = {line, length};
	const struct timespec pause = {0, FAULT_PAUSE};
	ssize_t taken = write_now(fd, &part, 1);

	for (int tries = 0; taken == -1 && errno == EAGAIN && tries < FAULT_TRIES; tries++) {
		kernel_nanosleep(&pause);
		taken = write_now(fd, &part, 1);
	}
	return taken > 0;
}

/* Neither jansson nor snprintf: the process may have broken its heap, and its stack may be that of
 * a signal. */
bool
log_fault(const char *text)
{
	char line[640];
	size_t most = sizeof line - sizeof "\"}\n";
	size_t length = add(line, 0, log_prefix(STDERR_FILENO, LOG_ERROR));

	if (log_is_json()) {
		length = add(line, length, "{\"level\":\"error\",\"message\":\"");
		length = add_plain(line, length, most, text);
		length = add(line, length, "\"}");
	} else {
		while (*text != '\0' && length < most)
			line[length++] = *text++;
	}
	line[length++] = '\n';
	return write_in_time(STDERR_FILENO, line, length);
}

bool
log_wants(enum log_level level)
{
	return level <= log_settings.level;
}

static void (*observer)(enum log_level level, const char *text, size_t length);

void
log_observe(void (*observe)(enum log_level level, const char *text, size_t length))
{
	__atomic_store_n(&observer, observe, __ATOMIC_RELEASE);
}

static void
observe(const struct log_entry *entry)
{
	void (*call)(enum log_level level, const char *text, size_t length) =
		__atomic_load_n(&observer, __ATOMIC_ACQUIRE);

	if (call != NULL)
		call(entry->level, entry->message, entry->length);
}

void
log_put(const struct log_entry *entry)
{
	char line[LOG_LINE_MAX];
	int saved = errno;

	observe(entry);
	write_to(log_descriptor(), entry->level, line, format_line(line, sizeof line, entry));
	errno = saved;
}

bool
log_put_in(int file, const struct log_entry *entry)
{
	/* The file ends within a line: in one of this process, or perhaps, where it is full, in one
	 * of another process, which had the last room. */
	static bool is_torn;
	bool was_torn = __atomic_load_n(&is_torn, __ATOMIC_RELAXED);
	struct log_entry beside = *entry;
	char line[1 + LOG_LINE_MAX] = "\n";
	struct iovec part = {line + !was_torn, was_torn};
	ssize_t taken;

	beside.is_beside = true;
	part.iov_len += format_line(line + 1, LOG_LINE_MAX, &beside);
	taken = write_now(file, &part, 1);
	if (taken > 0 || errno == ENOSPC || errno == EDQUOT || errno == EFBIG)
		__atomic_store_n(&is_torn, taken < (ssize_t)part.iov_len, __ATOMIC_RELAXED);
	if (taken == (ssize_t)part.iov_len)
		return true;
	if (taken >= 0)
		errno = ENOSPC;
	count_lost();
	return false;
}

/* Needs less stack than log_put: coroutines call it. */
void
log_write(enum log_level level, const char *format, ...)
{
	char message[900], line[2048];
	struct log_entry entry = {.level = level, .message = message};
	int saved = errno;
	va_list arguments;

	if (!log_wants(level))
		return;
	message[0] = '\0';
	va_start(arguments, format);
	vsnprintf(message, sizeof message, format, arguments);
	va_end(arguments);
	for (char *c = message; *c != '\0'; c++)
		if ((unsigned char)*c < ' ')
			*c = ' ';
	entry.length = strlen(message);
	observe(&entry);
	write_to(log_descriptor(), level, line, format_line(line, sizeof line, &entry));
	errno = saved;
}
