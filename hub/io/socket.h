/* Sockets and streams: POSIX calls that suspend the coroutine instead of the thread.
 *
 * Each behaves as its namesake does on a blocking descriptor, with the same arguments and results,
 * and adds the errors of every blocking call: ECANCELED (killed), ETIMEDOUT, EDEADLK, EPERM, EBADF
 * if the fd is closed meanwhile, and ENOMEM for an fd new to the hub.
 *
 * - Receiving returns the bytes that are there, sending sends all. When a send is interrupted by a
 *   timeout, a kill, or a close after a part went out, it returns that part's length, and the next
 *   call fails.
 * - A call stays with the connection that its fd meant when it began: a close meanwhile ends the
 *   call, even if the fd is reused at once.
 * - MSG_DONTWAIT in flags makes a call fail with EAGAIN instead of suspending; it never switches.
 * - A receiving call does not switch between the kernel's answer and its return, so coroutines may
 *   share a buffer for bytes that they use up before their next switch.
 * - Sending to a closed peer fails with EPIPE; it raises no SIGPIPE on sockets.
 * - Several coroutines may wait for one fd; they are woken in the order in which they came. */
#ifndef HUBBUB_IO_SOCKET_H
#define HUBBUB_IO_SOCKET_H

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "../api.h"

HUBBUB_API_BEGIN

/* socket(2), non-blocking and close-on-exec. Switches: no.  Returns the fd, or -1 and errno. */
int hub_socket(int domain, int type, int protocol);

/* accept(2); the new fd is non-blocking and close-on-exec. Switches: yes, if no connection waits.
 * Ownership: the caller closes the new fd with hub_close.  Returns it, or -1 and errno, among them
 * ECONNABORTED (try again), EMFILE, ENFILE, ENOBUFS, ENOMEM (wait before trying again). */
int hub_accept(int fd, struct sockaddr *address, socklen_t *length);

/* connect(2). Switches: yes.  Returns 0, or -1 and errno; after ETIMEDOUT or ECANCELED the kernel
 * goes on connecting: close the fd. */
int hub_connect(int fd, const struct sockaddr *address, socklen_t length);

/* shutdown(2); over TLS it first tells the peer that the stream ends, without which the peer
 * reports a broken connection.
 * Switches: yes, over TLS, while the socket is full.  Returns 0, or -1 and errno; EPIPE over TLS:
 * the peer could not be told, and the socket is shut down all the same. */
int hub_shutdown(int fd, int how);

/* recv(2). Switches: yes, if no bytes are there.  Returns bytes, 0 at the end, or -1 and errno. */
ssize_t hub_recv(int fd, void *buffer, size_t length, int flags);

/* recvfrom(2). Switches: yes, if no bytes are there.  Returns as hub_recv. */
ssize_t hub_recvfrom(int fd, void *buffer, size_t length, int flags, struct sockaddr *address,
	socklen_t *address_length);

/* recvmsg(2). Switches: yes, if no bytes are there.  Returns as hub_recv. */
ssize_t hub_recvmsg(int fd, struct msghdr *message, int flags);

/* read(2). Switches: yes, if no bytes are there.  Returns as hub_recv. */
ssize_t hub_read(int fd, void *buffer, size_t length);

/* readv(2). Switches: yes, if no bytes are there.  Returns as hub_recv. */
ssize_t hub_readv(int fd, const struct iovec *parts, int count);

/* send(2). Switches: yes, while the socket is full.  Returns length, less if interrupted after a
 * part, or -1 and errno. */
ssize_t hub_send(int fd, const void *buffer, size_t length, int flags);

/* sendto(2). Switches: yes, while the socket is full.  Returns as hub_send. */
ssize_t hub_sendto(int fd, const void *buffer, size_t length, int flags,
	const struct sockaddr *address, socklen_t address_length);

/* sendmsg(2). Switches: yes, while the socket is full.  Returns as hub_send. */
ssize_t hub_sendmsg(int fd, const struct msghdr *message, int flags);

/* write(2); on a pipe without readers it raises SIGPIPE, as write(2) does.
 * Switches: yes, while the descriptor is full.  Returns as hub_send. */
ssize_t hub_write(int fd, const void *buffer, size_t length);

/* writev(2); as hub_write. Switches: yes, while the descriptor is full.  Returns as hub_send. */
ssize_t hub_writev(int fd, const struct iovec *parts, int count);

HUBBUB_API_END

#endif
