/* Addresses of sockets, and which of them somebody listens on. */
#ifndef HUBBUB_SIM_NAME_PRIV_H
#define HUBBUB_SIM_NAME_PRIV_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

struct file;
struct host;

struct name {
	int family;
	struct host *on; /* who has the address; NULL: nobody */
	in_port_t port;  /* in the network's order; 0: none yet */
	unsigned char host[16];
	/* Of a Unix socket: a path, or a name that begins with a 0. */
	char path[sizeof((struct sockaddr_un *)0)->sun_path];
	size_t path_length; /* 0: none yet */
};

/* Reads an address of that family. -1 with errno EINVAL or EAFNOSUPPORT. */
int name_read(struct name *name, int family, const struct sockaddr *address, socklen_t length);

/* Writes it as getsockname(2) does: no more than *length, which becomes the whole length. */
void name_write(const struct name *name, struct sockaddr *address, socklen_t *length);

/* Gives the name a port, or a Unix socket a name, if it has none. -1 with errno EADDRINUSE (all are
 * taken) or EADDRNOTAVAIL (not this host's). */
int name_choose(struct name *name);

/* Gives the name its host, if it has none. -1 with errno EADDRNOTAVAIL: it is another host's. */
int name_place(struct name *name);

/* Whether somebody listens there. */
bool name_is_taken(const struct name *name);

/* A name of any address becomes one of the address from which the peer is reached. */
void name_settle(struct name *name, const struct name *peer);

/* The file listens, or receives datagrams, on its name, which outlives that. False if another one
 * does, unless both are of one group (SO_REUSEPORT). */
bool name_listen(const struct name *name, struct file *file);
void name_unlisten(const struct file *file);

/* Who listens there, or on all hosts at that port; NULL: nobody. Of a group (SO_REUSEPORT) any
 * member, which is drawn. */
struct file *name_find(const struct name *name);

/* The file that listens at that path; NULL: none does. */
struct file *name_at(const char *path);

/* Forgets who listens, and which ports were given. */
void names_begin(void);

#endif
