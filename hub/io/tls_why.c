/* Why TLS failed, in words: one text a thread. OpenSSL's queue of errors belongs to the thread,
 * too: whoever calls OpenSSL empties it before and reads it right after, with no switch in
 * between. */
#include "hub/io/tls_why_priv.h"

#include <openssl/err.h>
#include <stdarg.h>
#include <stdio.h>

static _Thread_local char why[256];

const char *
tls_why(void)
{
	return why;
}

void
tls_say_why(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(why, sizeof why, format, arguments);
	va_end(arguments);
}

void
tls_explain(const char *what)
{
	unsigned long code = ERR_peek_last_error();
	const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;

	tls_say_why("%s%s%s", what, reason != NULL ? ": " : "", reason != NULL ? reason : "");
	ERR_clear_error();
}
