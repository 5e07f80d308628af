/* File descriptors in a hub.
 *
 * An fd enters a hub by hub_socket, hub_accept, hub_connect or hub_adopt and leaves it by hub_close
 * (or hub_release). In between the hub watches it. An fd that is new to the hub also enters at the
 * first call that uses it: to be read or written, which makes a socket non-blocking, or only to be
 * waited for, which leaves its flags alone. Files that are no sockets, and the standard streams (0
 * to 2) whatever they are, are shared with other processes, such as the shell, and keep their
 * flags: where the kernel has no call that does not wait, as for a terminal, they are non-blocking
 * only during the call.
 *
 * An fd may be closed behind the hub's back - by close(2), dup2(2) or close_range(2), by a thread,
 * by a library that makes the system call itself - and perhaps be opened again as another file.
 * That does no harm for long:
 *
 * - A coroutine that waits for such an fd gets EBADF (hub_poll: POLLNVAL) as soon as another
 *   coroutine waits for the same fd, or else when the hub checks its wait: within about 0.1 s if
 *   the wait has just begun, and within the time that it had lasted by then if it is older, at most
 *   13 s; later if more than four thousand wait.
 * - The next open file under that fd is served as new. In two cases that is late by about 0.1 s,
 *   once: if the same coroutine receives from it right after receiving from the old file, and if
 *   the old file was an accepted connection that had not been waited for. A wait that is younger
 *   than that counts as one for the new file.
 * - TLS never goes on with another open file, nor does hub_end_input.
 * - No call ends the process, keeps other coroutines from running or blocks the thread, whatever
 *   the fd has become. (Only accept(2), sendfile(2), and read(2) of a terminal or an inotify have
 *   no form that does not wait: if another thread puts a blocking file under the fd just as the
 *   call is made, the call blocks.)
 *
 * An fd that refers to the same open file again (dup2 of a duplicate) is the same. The hub's own
 * fds are high (768 and up, if the limit allows). They may be closed with all others, as
 * closefrom(3) does, if nothing is opened before the hub polls next: until then the hub takes their
 * numbers for its own. */
#ifndef HUBBUB_IO_FD_H
#define HUBBUB_IO_FD_H

#include <stdbool.h>
#include <stdint.h>

#include "../api.h"

struct epoll_event;

HUBBUB_API_BEGIN

/* Lets the hub watch fd, and makes it non-blocking, for all processes that share the open file,
 * unless it is a regular file or a standard stream (0 to 2). Whatever the hub knew of that fd is
 * forgotten. Regular files are never waited for; see io/file.h.
 * Switches: no.  Ownership: stays the caller's.
 * Returns 0, or -1 with errno EBADF, ENOMEM or EPERM (this thread runs no hub). */
int hub_adopt(int fd);

/* Whether the hub, by one of its calls, has made fd non-blocking. False for an fd that it does not
 * know.
 * Switches: no.  Errors: none. */
bool hub_made_nonblocking(int fd);

/* Makes the hub forget fd, which stays open and keeps its flags. TLS on it is forgotten without a
 * word to the peer; coroutines that wait for it get EBADF.
 * Switches: no.  Errors: none; an unknown fd is ignored. */
void hub_release(int fd);

/* Tells the hub that fd was closed by other means than hub_close, or refers to another open file:
 * the hub forgets it as by hub_release, and an owner that was to close it, such as a server its
 * connection, does not.
 * Switches: no.  Errors: none; an unknown fd is ignored. */
void hub_closed(int fd);

/* Makes receiving from fd return 0, as at the end of the stream, once all bytes that have arrived
 * are received. Coroutines that wait to receive are woken at once, also in hub_wait_fd, hub_poll
 * and hub_select, for which fd is readable from then on (not for the kernel's poll and recv). It
 * ends a connection at the boundary of a message, without the help of the code that serves it.
 * Sending goes on. hub_adopt undoes it.
 * Switches: no.  Errors: none; an unknown fd is ignored. */
void hub_end_input(int fd);

/* Whether hub_end_input was called since fd entered the hub: for code that receives by other calls
 * than the hub's.
 * Switches: no.  Errors: none; false for an unknown fd. */
bool hub_input_has_ended(int fd);

/* Tells the hub that bytes were received from fd by other calls than the hub's, so that servers
 * (io/server.h) do not take the connection for idle. The calls of io/socket.h, hub_sendfile and TLS
 * do so themselves.
 * Switches: no.  Errors: none; an unknown fd is ignored. */
void hub_note_received(int fd);

/* The same for bytes that were sent to fd. Switches: no.  Errors: none; an unknown fd is
 * ignored. */
void hub_note_sent(int fd);

/* Releases fd, so that coroutines that wait for it get EBADF, then closes it. A socket with
 * SO_LINGER may make the thread wait there: shut it down first, and wait for the peer's end.
 * Switches: no.  Works for killed callers, too.  Returns 0, or -1 with the errno of close(2). */
int hub_close(int fd);

/* Waits until fd is ready for one of events (POLLIN, POLLOUT of <poll.h>). Hang-ups and errors make
 * it ready for both: the call that follows reports what happened. A regular file is always ready.
 * Switches: yes, unless it is ready already.
 * Returns which of events are ready (above 0), or -1 with errno EBADF (also if fd is closed
 * meanwhile), EINVAL (events is empty or has others), ENOMEM, ENOSPC (the kernel watches no more),
 * ECANCELED (killed), ETIMEDOUT, EDEADLK or EPERM. */
int hub_wait_fd(int fd, short events);

/* Waits until fd may be ready for events, POLLIN or POLLOUT, for at most that many nanoseconds
 * (HUB_FOREVER: without limit; 0 or less: it times out), without asking first: for a caller whose
 * system call on fd has just failed with EAGAIN, and which then tries it again. It leaves the flags
 * of fd alone. A regular file is always ready.
 * Switches: yes.
 * Returns 1, 0 after that time, or -1 with errno EBADF (also if fd is closed meanwhile), ESHUTDOWN
 * (hub_end_input has ended its input), EINVAL, ENOMEM, EINTR (hub_interrupt), ECANCELED (killed),
 * ETIMEDOUT (a scope around), EDEADLK or EPERM. */
int hub_await_fd(int fd, short events, int64_t nanoseconds);

/* epoll_ctl(2), for a library that replaces libc's, as hub/patch does. While this thread's hub
 * polls, it translates errors about closed fds, at which libev would end the process.
 * Switches: no.  Returns and errno: as epoll_ctl(2). */
int hub_epoll_ctl(int set, int operation, int fd, struct epoll_event *event);

HUBBUB_API_END

#endif
