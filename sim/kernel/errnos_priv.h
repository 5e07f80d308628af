/* The errnos by which calls fail that otherwise would not: one row for each that a manual page
 * names, and nothing else in the world brings about. */
#ifndef HUBBUB_SIM_ERRNOS_PRIV_H
#define HUBBUB_SIM_ERRNOS_PRIV_H

#include <stddef.h>

struct file;

enum errnos_call {
	ERRNOS_SOCKET,
	ERRNOS_BIND,
	ERRNOS_LISTEN,
	ERRNOS_ACCEPT,
	ERRNOS_CONNECT,
	ERRNOS_CONNECTED, /* what SO_ERROR tells of a connect that has failed later */
	ERRNOS_SEND,
	ERRNOS_RECEIVE,
	ERRNOS_EPOLL_ADD,
	ERRNOS_OPEN,
	ERRNOS_WRITE,
	ERRNOS_READ,
	ERRNOS_TRUNCATE,
	ERRNOS_SYNC,
	ERRNOS_CLOSE
};

/* What a file is, for the rows. */
enum errnos_sort {
	ERRNOS_TCP = 1,
	ERRNOS_UDP = 2,
	ERRNOS_UNIX = 4,
	ERRNOS_DISK = 8,
	ERRNOS_OTHER = 16,
	ERRNOS_INET = ERRNOS_TCP | ERRNOS_UDP,
	ERRNOS_ALL = 31
};

struct errnos_row {
	enum errnos_call call;
	int sorts; /* of enum errnos_sort */
	int error;
	int breaks;    /* the connection is lost with it */
	unsigned seen; /* how often it has happened in this process, for tests */
};

/* Draws whether the call on the file fails now, and how. NULL: it does not. */
const struct errnos_row *errnos_draw(enum errnos_call call, const struct file *file);

/* The same for calls without a file: 0, or an errno. */
int errnos_draw_for(enum errnos_call call, int sorts);

/* All rows. */
const struct errnos_row *errnos_rows(size_t *count);

#endif
