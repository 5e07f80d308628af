#include "tests/unit/hub/patch/thing.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "tests/support/in_hub.h"

const char *const thing_names[THING_KINDS] = {"stream", "datagram", "TCP", "listener",
	"fresh socket", "pipe to read", "pipe to write", "eventfd", "master", "slave", "file",
	"closed"};

unsigned thing_seed;

unsigned
thing_any(unsigned below)
{
	return (unsigned)rand_r(&thing_seed) % below;
}

/* ---- what is waited for ---- */

static void
make_tcp(int ends[2], bool is_listener)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t length = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	bind(listener, (struct sockaddr *)&address, length);
	listen(listener, 5);
	getsockname(listener, (struct sockaddr *)&address, &length);
	ends[0] = listener;
	ends[1] = socket(AF_INET, SOCK_STREAM, 0);
	if (is_listener)
		return;
	connect(ends[1], (struct sockaddr *)&address, length);
	ends[0] = accept(listener, NULL, NULL);
	close(listener);
}

static void
make_terminal(int ends[2])
{
	int master = posix_openpt(O_RDWR | O_NOCTTY);

	grantpt(master);
	unlockpt(master);
	ends[0] = master;
	ends[1] = open(ptsname(master), O_RDWR | O_NOCTTY);
	/* Valgrind does not know what that takes. */
	if (thing_any(2) == 0 && !on_valgrind())
		ioctl(master, TIOCPKT, &(int){1});
}

static void
swap(int ends[2])
{
	int first = ends[0];

	ends[0] = ends[1];
	ends[1] = first;
}

struct thing
thing_make(enum thing_kind kind)
{
	int ends[2] = {-1, -1};

	switch (kind) {
	case STREAM:
	case DATAGRAM:
		socketpair(AF_UNIX, kind == STREAM ? SOCK_STREAM : SOCK_DGRAM, 0, ends);
		break;
	case TCP:
	case LISTENER:
		make_tcp(ends, kind == LISTENER);
		break;
	case FRESH:
		ends[0] = socket(AF_INET, SOCK_STREAM, 0);
		break;
	case READ_END:
	case WRITE_END:
		if (pipe(ends) == 0 && kind == WRITE_END)
			swap(ends);
		break;
	case EVENT:
		ends[0] = eventfd(thing_any(2), EFD_NONBLOCK);
		break;
	case MASTER:
	case SLAVE:
		make_terminal(ends);
		if (kind == SLAVE)
			swap(ends);
		break;
	case PLAIN:
		ends[0] = open("/proc/self/exe", O_RDONLY);
		break;
	default:
		ends[0] = dup(2);
		close(ends[0]);
		break;
	}
	return (struct thing){kind, ends[0], ends[1], 0};
}

void
thing_fill(const struct thing *thing)
{
	static char block[4096];
	int flags = fcntl(thing->fd, F_GETFL);

	/* What a terminal takes is told late, and nobody is woken when it takes more again: by the
	 * kernel's own poll neither. */
	if (thing->kind == PLAIN || thing->kind == LISTENER || thing->kind == CLOSED ||
		thing->kind == MASTER || thing->kind == SLAVE)
		return;
	fcntl(thing->fd, F_SETFL, flags | O_NONBLOCK);
	for (int i = 0; i < 10000 && write(thing->fd, block, sizeof block) > 0; i++)
		continue;
	fcntl(thing->fd, F_SETFL, flags);
}

/* ---- what happens to it ---- */

void
thing_act(struct thing *thing)
{
	static char block[1 << 16];
	struct sockaddr_storage address;
	socklen_t length = sizeof address;

	switch (thing->peer == -1 ? 5 : thing_any(5)) {
	case 0:
		if (thing->kind == LISTENER) {
			getsockname(thing->fd, (struct sockaddr *)&address, &length);
			connect(thing->peer, (struct sockaddr *)&address, length);
		} else if (thing->kind != WRITE_END) {
			fcntl(thing->peer, F_SETFL, O_RDWR | O_NONBLOCK);
			if (write(thing->peer, "x\n", 2) < 0)
				return;
		}
		break;
	case 1:
		if (thing->kind == MASTER)
			tcflow(thing->peer, thing_any(2) ? 0 : 1);
		else
			send(thing->peer, "u", 1, MSG_OOB | MSG_DONTWAIT | MSG_NOSIGNAL);
		break;
	case 2:
		shutdown(thing->peer, SHUT_WR);
		break;
	case 3:
		close(thing->peer);
		thing->peer = -1;
		break;
	case 4:
		fcntl(thing->peer, F_SETFL, O_RDWR | O_NONBLOCK);
		for (int i = 0; i < 100 && read(thing->peer, block, sizeof block) > 0; i++)
			continue;
		break;
	default:
		if (thing->kind == EVENT)
			eventfd_write(thing->fd, 1);
		break;
	}
}
