/* <hubbub/log.h>: a service's lines in the server's log.
 *
 *	hubbub_log(HUBBUB_INFO, "stored key=%s bytes=%zu", key, size);
 *
 * comes out as text, or as JSON (--log-format):
 *
 *	2026-12-02T12:00:00.000Z info    store[123]: stored key=a bytes=12 worker=0 hub=1 ...
 *	{..., "message":"stored", "worker":0, "hub":1, ..., "fields":{"key":"a","bytes":12}} */
#ifndef HUBBUB_LOG_H
#define HUBBUB_LOG_H

#include <hubbub/api.h>
#include <stdint.h>

HUBBUB_API_BEGIN

/* How much a line matters; --log-level is the least that is logged. */
enum hubbub_level { HUBBUB_ERROR, HUBBUB_WARNING, HUBBUB_INFO, HUBBUB_DEBUG };

/* What a call of hubbub_log in the program's text remembers, for its limit. Private. */
struct hubbub_log_site {
	int64_t due;   /* clock at which all lines so far are paid for */
	uint64_t left; /* lines left out since the last one that was logged */
	void *room[2];
};

/* Logs a line, as printf(3) formats it. Each word of the format that is a name and a conversion,
 * such as key=%s, is a field; the other words are the message. A name has letters, digits and _ and
 * begins with no digit; 16 words at most are fields. In JSON a field printed by %d, %u, %g and the
 * like is a number. Behind the fields the line says where it comes from: worker and hub, the
 * coroutine's name, and the client whose connection the coroutine serves. Numbers have a decimal
 * point and no groups, whatever locale the program has set.
 *
 * Bytes that a client has sent should be fields: there they are quoted. Control characters, NULs
 * and bytes that are not UTF-8 are escaped everywhere, so nothing that is printed can begin a line.
 * A text that is too long for the line (4000 bytes) is cut, and ends with "...".
 *
 * Each place in the program may log 100 lines at once, and 10 a second in the long run, in each
 * process. What is more is left out, counted in /metrics (hubbub_log_lines_limited_total), and told
 * by the next line of that place ("left_out=4711"). A line for which the reader of the log has no
 * room is lost and counted; nobody waits for it.
 *
 * Not supported in format: positions (%1$s) and %n.
 * Switches: no; a line that is not logged costs a few instructions.  Thread: any, in any process of
 * the server; not in a signal handler.  Errors: none; errno stays as it was, and %m may be used. */
#define hubbub_log(level, ...)                                                                     \
	do {                                                                                       \
		static struct hubbub_log_site hubbub_log_site_;                                    \
                                                                                                   \
		hubbub_log_at(&hubbub_log_site_, (level), __VA_ARGS__);                            \
	} while (0)

/* What hubbub_log calls. site may be NULL: then the number of lines is not limited.
 * Switches: no.  Thread: any.  Errors: none. */
void hubbub_log_at(struct hubbub_log_site *site, enum hubbub_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

HUBBUB_API_END

#endif
