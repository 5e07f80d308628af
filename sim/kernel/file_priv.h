/* Open files of the world, and the table of descriptors that refer to them, as in open(2): several
 * descriptors may refer to one file, which is freed with the last of them. Numbers begin at
 * FILES_FIRST, so that they are never those of real files; a number that was closed is the next one
 * to be given, as in the real kernel. */
#ifndef HUBBUB_SIM_FILE_PRIV_H
#define HUBBUB_SIM_FILE_PRIV_H

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "hub/base/list.h"
#include "sim/world/world_priv.h"

#define FILES_FIRST 512

struct cargo;
struct file;

/* What one call moves. */
struct transfer {
	const struct iovec *parts;
	size_t count;
	size_t length; /* of all parts */
	int flags;     /* of recv(2) and send(2) */
	struct sockaddr *address;
	socklen_t *address_length;
	int told; /* flags of the answer: MSG_TRUNC */
	/* What goes with the bytes: whoever takes it, from the caller or for him, owns it. NULL:
	 * nothing. */
	struct cargo *cargo;
	const off_t *offset;    /* NULL: the file's own */
	bool is_now;            /* RWF_NOWAIT */
	struct msghdr *message; /* where recvmsg(2) wants it; NULL: it does not */
};

/* What a file can do; NULL: it cannot. All return -1 and set errno, as their namesakes. None
 * blocks: EAGAIN says that the caller would have to wait. */
struct file_kind {
	const char *what;
	mode_t type;     /* of st_mode */
	int socket_type; /* SOCK_...; 0: no socket */
	ssize_t (*receive)(struct file *file, struct transfer *transfer);
	ssize_t (*send)(struct file *file, struct transfer *transfer);
	short (*ready)(const struct file *file); /* events of poll(2) */
	int (*connect)(struct file *file, const struct sockaddr *address, socklen_t length);
	int (*bind)(struct file *file, const struct sockaddr *address, socklen_t length);
	int (*listen)(struct file *file, int backlog);
	struct file *(*accept)(struct file *file);
	int (*shutdown)(struct file *file, int how);
	/* The address of this end, or of the peer. */
	int (*name)(
		const struct file *file, bool is_peer, struct sockaddr *address, socklen_t *length);
	void (*set_send_buffer)(struct file *file, int size); /* SO_SNDBUF */
	void (*lose)(struct file *file, int error); /* the network has lost the connection */
	int (*error)(struct file *file);            /* SO_ERROR: returns it, and clears it */
	long (*waiting)(const struct file *file);   /* FIONREAD */
	/* Of files with an offset, which never wait. */
	off_t (*seek)(struct file *file, off_t offset, int whence);
	int (*truncate)(struct file *file, off_t length);
	void (*tell)(const struct file *file, struct stat *status); /* fstat(2) */
	void (*free)(struct file *file); /* the last descriptor is closed */
};

struct file {
	const struct file_kind *kind;
	const char *what;    /* in words */
	unsigned references; /* descriptors, and other owners */
	unsigned descriptors;
	unsigned on_way; /* to other descriptors (cargo.c): it stays open without one */
	int fd;          /* one of them: the only one, if there is one */
	int flags;       /* of open(2): O_NONBLOCK, O_APPEND */
	int access;      /* O_RDONLY, O_WRONLY or O_RDWR */
	int family;
	unsigned long inode;
	struct list members;  /* of struct file_member */
	struct linger linger; /* SO_LINGER */
	bool is_v6only;       /* IPV6_V6ONLY */
	bool is_in_group;     /* SO_REUSEPORT */
	bool drops_syns;      /* SO_ATTACH_FILTER: the only filter known here */
};

/* Whoever is told of a file, as epoll sets are; embedded in a record of its own. */
struct file_member {
	struct list link; /* in file->members */
	void (*changed)(struct file_member *member);
	void (*closed)(struct file_member *member); /* the last descriptor is; it leaves the list */
};

/* ---- files ---- */

/* Called for each descriptor of a file that has changed: the loop's. NULL: nobody watches. */
extern void (*file_watcher)(int fd);

/* Called for each descriptor that is about to be closed. NULL: nobody asks. */
extern void (*file_closes)(int fd);

/* Makes *file of that kind, with one reference. */
void file_init(struct file *file, const struct file_kind *kind, int family);

void file_hold(struct file *file);
void file_release(struct file *file);

/* The file is on its way to another descriptor, or has arrived there, or nowhere. */
void file_depart(struct file *file);
void file_arrive(struct file *file);

/* What poll(2) would report has changed, or may have: whoever watches looks again. */
void file_changed(struct file *file);

/* Notes an event of a descriptor: "TCP socket 513" and then what, of printf with at most two longs;
 * and an error, or 0. fd: file->fd, where no call names another one. */
static inline void
file_note(const struct file *file, int fd, const char *what, long a, long b)
{
	report_event(file->what, fd, 0, what, a, b, 0);
}

static inline void
file_note_error(const struct file *file, int fd, const char *what, int error)
{
	report_event(file->what, fd, error, what, 0, 0, 0);
}

/* ---- the table ---- */

void files_begin(int most);

/* Closes what the program has left, which is a failure of the run. */
void files_end(void);

/* Frees the table, when nothing is on its way any more. */
void files_free(void);

/* What the short functions below look at: file.c's. */
struct place {
	struct file *file; /* NULL: free */
	bool is_cloexec;
	long process; /* whose descriptor it is */
};

extern struct place *files_places;
extern int files_size;

/* Whether the number is one of the world's, open or not. */
static inline bool
files_has(int fd)
{
	return fd >= FILES_FIRST && world_exists();
}

/* NULL: the number is not open. */
static inline struct file *
files_find(int fd)
{
	/* One comparison: those below are large without a sign. */
	unsigned at = (unsigned)fd - FILES_FIRST;

	return at < (unsigned)files_size ? files_places[at].file : NULL;
}

/* NULL with errno EBADF. */
static inline struct file *
files_get(int fd)
{
	struct file *file = files_find(fd);

	if (file == NULL)
		errno = EBADF;
	return file;
}

/* Gives the file, whose reference the table takes, the lowest number from first on. -1 with errno
 * EMFILE: then the caller keeps the reference. */
int files_open(struct file *file, int first, bool is_cloexec);

/* Gives the file a number that may be open: it is closed first. */
int files_replace(int fd, struct file *file);

int files_close(int fd);

bool files_is_cloexec(int fd);
void files_set_cloexec(int fd, bool is_cloexec);

/* How many descriptors are open. */
int files_count(void);

/* Closes those of the process, as the kernel does when it ends. */
void files_close_all(long process);

#endif
