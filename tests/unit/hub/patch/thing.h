/* A descriptor of any kind, to be waited for, and what may happen to it. */
#ifndef HUBBUB_TESTS_THING_H
#define HUBBUB_TESTS_THING_H

enum thing_kind {
	STREAM,
	DATAGRAM,
	TCP,
	LISTENER,
	FRESH,
	READ_END,
	WRITE_END,
	EVENT,
	MASTER,
	SLAVE,
	PLAIN,
	CLOSED,
	THING_KINDS
};

extern const char *const thing_names[THING_KINDS];

struct thing {
	enum thing_kind kind;
	int fd, peer; /* -1 for none */
	short events;
};

/* Decides all that is left to chance. */
extern unsigned thing_seed;

unsigned thing_any(unsigned below);

struct thing thing_make(enum thing_kind kind);

/* So that it cannot be written, if it is of such a kind. */
void thing_fill(const struct thing *thing);

/* Something happens to it, mostly by its peer. */
void thing_act(struct thing *thing);

#endif
