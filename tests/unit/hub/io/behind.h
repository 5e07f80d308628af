/* What tests of numbers share that are closed, or opened anew, behind the hub's back: what a number
 * was, and who waits for it then. */
#ifndef HUBBUB_TESTS_UNIT_HUB_IO_BEHIND_H
#define HUBBUB_TESTS_UNIT_HUB_IO_BEHIND_H

#include "hub/hub.h"

/* The first scene's number: the others' follow. Above what else the scenes that play at once
 * open. */
#define FIRST_NUMBER 400
/* Nothing takes that long but a hang. */
#define PATIENCE (30 * HUB_SECOND)
#define MOMENT (20 * HUB_MILLISECOND)

/* What the number was, and how somebody waited for it. */
/* clang-format off */
#define WAS(EACH) \
	EACH(idle_stream) EACH(drained_stream) EACH(stream_read) EACH(stream_written) \
	EACH(stream_polled) EACH(stream_selected) EACH(pipe_read) EACH(eventfd_read) \
	EACH(listener) EACH(file) EACH(tls_idle) EACH(tls_read) EACH(ended)
/* clang-format on */

#define NUMBER(name) WAS_##name,
enum was { WAS(NUMBER) WAS_MAX };
#undef NUMBER

/* What it is then. */
/* clang-format off */
#define IS(EACH) \
	EACH(nothing) EACH(stream) EACH(datagram) EACH(pipe) EACH(event) EACH(timer) \
	EACH(epoll) EACH(file_now) EACH(listening) EACH(tls_now)
/* clang-format on */

#define NUMBER(name) IS_##name,
enum is { IS(NUMBER) IS_MAX };
#undef NUMBER

struct scene {
	enum was was;
	enum is is;
	bool is_patient; /* who has the number next does nothing before who waited is told */
	int number;
	void (*close)(struct scene *scene, int replacement);
	int old_peer;
	int copy; /* keeps the old one open; -1 for none */
	int peer; /* what makes the new one readable */
	struct hub_tls *server, *client;
	struct hub_coroutine *waiter;
	bool waiter_is_right;
	char fault[128];
};

/* Notes the first fault of a scene, with the result of the call, and errno. */
void behind_fault(struct scene *scene, const char *what, long result);

/* Moves fd to the scene's number, unseen by the hub. */
void behind_put(const struct scene *scene, int fd);

/* A file without a name that has the bytes "file". */
int behind_temporary_file(void);

/* A Unix socket that listens at a name that nobody else has. */
int behind_listening_socket(void);

/* A TLS connection of the number with its peer. Switches. */
void behind_shake_hands(struct scene *scene, int peer);

/* Makes the number what it was. Switches. */
void behind_make_old(struct scene *scene);

/* A coroutine: waits for what the number was, and finds out whether it is told the right thing. */
void *behind_wait_for_old(void *argument);

/* Somebody waits, or has waited: then a watcher is left on. Switches. */
void behind_wait_for_it(struct scene *scene);

#endif
