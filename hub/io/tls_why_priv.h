/* What hub_tls_why returns. No function here switches; errors: none. */
#ifndef HUBBUB_IO_TLS_WHY_PRIV_H
#define HUBBUB_IO_TLS_WHY_PRIV_H

/* The thread's reason; valid until it is set again. */
const char *tls_why(void);

/* Sets the thread's reason. */
void tls_say_why(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Sets the thread's reason to what, followed by the last one of OpenSSL's queue of errors, if there
 * is one, and empties the queue. */
void tls_explain(const char *what);

#endif
