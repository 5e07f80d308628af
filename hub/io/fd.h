/* Descriptors in a hub.
 *
 * A descriptor enters a hub by hub_socket, hub_accept, hub_connect or hub_adopt and leaves it by
 * hub_close (or hub_release). In between the hub watches it. A number that is new to the hub enters
 * at the first call that uses it: to be read or written, which makes a socket non-blocking, or only
 * to be waited for, which leaves its flags alone. What is no socket, and the standard streams (0 to
 * 2) whatever they are, is shared with others, such as the shell, who find it as it was: where the
 * kernel has no call that does not wait, as for a terminal, it is non-blocking for the moment of
 * one.
 *
 * Numbers that are closed otherwise, behind the hub's back - by close(2), dup2(2) or
 * close_range(2), by a thread, by a library that makes the system call itself - and perhaps opened
 * again as something else, do no harm for long:
 *
 * - Whoever waits for such a number gets EBADF (hub_poll: POLLNVAL), as soon as anybody else waits
 *   for the number, or else when its wait is looked at: within about 0.1 s if it has just begun,
 *   and within the time that it had lasted by then if it is older, at most 13 s; later where more
 *   than four thousand wait.
 * - Whoever has the number next is served as if it were new. Only one that the same coroutine goes
 *   on to receive from, right after it has received from the old one, or that was accepted by then
 *   and not waited for, may be late by about 0.1 s, the first time; and there a coroutine whose
 *   wait was younger than that cannot be told from one that means the new one.
 * - TLS never goes on with another descriptor, nor does hub_end_input.
 * - No call ends the process, keeps others from running or blocks the thread, whatever the number
 *   has become. (Only accept(2), sendfile(2), and read(2) of a terminal or an inotify have no form
 *   that does not wait: there another thread that puts a blocking descriptor in the number's place
 *   just as the call is made makes it block.)
 *
 * A number that means the same open file again (dup2 of a duplicate) is the same. The hub's own
 * descriptors have high numbers (768 and up, if the limit allows), and may be closed with all
 * others, as closefrom(3) does, if nothing is opened before the hub polls next: until then their
 * numbers are its own. */
#ifndef HUBBUB_IO_FD_H
#define HUBBUB_IO_FD_H

#include <stdbool.h>
#include <stdint.h>

#include "../api.h"

struct epoll_event;

HUBBUB_API_BEGIN

/* Lets the hub watch fd, which becomes non-blocking, unless it is a regular file or a standard
 * stream (0 to 2), and that for all who have the same open file, in other processes, too; whatever
 * the hub knew of that number is forgotten. Regular files are never waited for; see io/file.h.
 * Switches: no.  Ownership: stays the caller's.
 * Returns 0, or -1 with errno EBADF, ENOMEM or EPERM (this thread runs no hub). */
int hub_adopt(int fd);

/* Whether it was the hub that made fd non-blocking, by one of its calls. False for a number that it
 * does not know.
 * Switches: no.  Errors: none. */
bool hub_made_nonblocking(int fd);

/* Makes the hub forget fd, which stays open, and as it is (TLS on it is forgotten without a word
 * to the peer); who waits for it gets EBADF.
 * Switches: no.  Errors: none; an unknown fd is ignored. */
void hub_release(int fd);

/* Says that fd was closed by other means than hub_close, or is another open file now: the hub
 * forgets it as by hub_release, and whoever was to close it, such as a server its connection, does
 * not.
 * Switches: no.  Errors: none; an unknown fd is ignored. */
void hub_closed(int fd);

/* Makes receiving from fd return 0, as at the end of the stream, as soon as all that has arrived is
 * received; who waits to receive is told at once, also by hub_wait_fd, hub_poll or hub_select, to
 * which it can be read from then on (not the kernel's poll and recv, to which nothing has
 * happened). For ending a connection at the boundary of a message: whoever serves it need not know
 * why. Sending goes on. hub_adopt undoes it.
 * Switches: no.  Errors: none; an unknown fd is ignored. */
void hub_end_input(int fd);

/* Whether hub_end_input has done so, since fd entered the hub: for whoever receives by other calls
 * than the hub's.
 * Switches: no.  Errors: none; false for an unknown fd. */
bool hub_input_has_ended(int fd);

/* Says that bytes came from fd by other calls than the hub's, for those who judge by that whether a
 * connection is idle (io/server.h). The calls of io/socket.h, hub_sendfile and TLS do so
 * themselves.
 * Switches: no.  Errors: none; an unknown fd is ignored. */
void hub_note_received(int fd);

/* The same of bytes that went to fd. Switches: no.  Errors: none; an unknown fd is ignored. */
void hub_note_sent(int fd);

/* Releases fd, so that whoever waits for it gets EBADF, then closes it, where a socket
 * with SO_LINGER makes the thread wait: shut it down first, and wait for the peer's end.
 * Switches: no.  Works for killed callers too.  Returns 0, or -1 with the errno of close(2). */
int hub_close(int fd);

/* Waits until fd is ready for one of events (POLLIN, POLLOUT of <poll.h>). Hang-ups and errors make
 * it ready for both: the call that follows tells what happened. A regular file is always ready.
 * Switches: yes, unless it is ready already.
 * Returns which of events are ready (above 0), or -1 with errno EBADF, EINVAL (events is empty or
 * has others), ENOMEM, ENOSPC (the kernel watches no more), ECANCELED (killed),
 * ETIMEDOUT, EDEADLK or EPERM. EBADF also if fd is closed meanwhile. */
int hub_wait_fd(int fd, short events);

/* Waits until fd may be ready for events, POLLIN or POLLOUT, for at most that many nanoseconds
 * (HUB_FOREVER: without end; 0 or less have passed), without asking first: for a caller whose
 * system call on fd has just failed with EAGAIN, and which then tries it again. It leaves the flags
 * of fd alone, and a regular file is always ready.
 * Switches: yes.
 * Returns 1, 0 after that time, or -1 with errno EBADF (also if fd is closed meanwhile), ESHUTDOWN
 * (hub_end_input has ended its input), EINVAL, ENOMEM, EINTR (hub_interrupt), ECANCELED (killed),
 * ETIMEDOUT (a scope around), EDEADLK or EPERM. */
int hub_await_fd(int fd, short events, int64_t nanoseconds);

/* epoll_ctl(2), for whoever stands before libc's, as hub/patch does: while this thread's hub polls,
 * what it says of numbers that are closed does not make libev end the process.
 * Switches: no.  Returns and errno: as epoll_ctl(2). */
int hub_epoll_ctl(int set, int operation, int fd, struct epoll_event *event);

HUBBUB_API_END

#endif
