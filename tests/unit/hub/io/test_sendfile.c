/* Files that are sent: to a socket that takes them slowly, is gone, or whose file is closed. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hub/scheduler_priv.h"
#include "tests/support/full.h"
#include "tests/support/in_hub.h"
#include "tests/support/trace.h"

#define LARGE (1024 * 1024)

struct record {
	char path[64];
	ssize_t sent, received;
	off_t offset;
	uint64_t counted; /* by the hub, as sent */
};

static int pair[2];

static void *
receive_all(void *argument)
{
	struct record *record = argument;
	static char buffer[65536];
	ssize_t got;

	while ((got = hub_recv(pair[1], buffer, sizeof buffer, 0)) > 0)
		record->received += got;
	return NULL;
}

static void *
sendfile_body(void *argument)
{
	struct record *record = argument;
	int fd = hub_open(record->path, O_RDWR, 0);
	struct hub_coroutine *receiver;

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	receiver = hub_spawn(receive_all, record);
	record->offset = 10;
	/* More than there is: it ends with the file. */
	record->sent = hub_sendfile(pair[0], fd, &record->offset, 2 * LARGE);
	record->counted = hub_this->counters->bytes_sent;
	hub_close(pair[0]);
	hub_join(receiver, NULL);
	hub_close(pair[1]);
	hub_close(fd);
	return NULL;
}

Test(sendfile, waits_for_the_socket)
{
	struct record record = {.path = "/tmp/hubbub-test-XXXXXX"};
	int fd = mkstemp(record.path);

	cr_assert_eq(ftruncate(fd, LARGE), 0);
	close(fd);
	in_hub(sendfile_body, &record);
	unlink(record.path);
	cr_assert_eq(record.sent, LARGE - 10);
	cr_assert_eq(record.received, LARGE - 10);
	cr_assert_eq(record.counted, LARGE - 10);
	cr_assert_eq(record.offset, LARGE);
}

/* The kernel sends a part, is told that nobody wants it, and raises SIGPIPE for the rest. */
static void *
gone_body(void *argument)
{
	struct record *record = argument;
	int fd = hub_open(record->path, O_RDWR, 0), listener, client;
	struct sockaddr_storage address;
	socklen_t length = sizeof address;

	listener = hub_create_server("127.0.0.1", "0", 0);
	getsockname(listener, (struct sockaddr *)&address, &length);
	client = hub_socket(address.ss_family, SOCK_STREAM, 0);
	trace_call("connect", hub_connect(client, (struct sockaddr *)&address, length));
	hub_close(hub_accept(listener, NULL, NULL));
	record->offset = 0;
	record->sent = hub_sendfile(client, fd, &record->offset, LARGE);
	record->offset = 0;
	trace_call("sendfile again", hub_sendfile(client, fd, &record->offset, LARGE));
	hub_close(client);
	hub_close(listener);
	hub_close(fd);
	return NULL;
}

Test(sendfile, to_one_who_has_gone_raises_no_signal)
{
	struct record record = {.path = "/tmp/hubbub-test-XXXXXX"};
	int fd = mkstemp(record.path);

	cr_assert_eq(ftruncate(fd, LARGE), 0);
	close(fd);
	in_hub(gone_body, &record);
	unlink(record.path);
	cr_assert_lt(record.sent, LARGE);
	cr_assert_str_eq(trace_text(), "connect 0, sendfile again EPIPE");
}

/* ---- the file is closed while the socket is waited for ---- */

struct closing {
	const char *name;
	int socket, file;
};

static void *
send_file(void *argument)
{
	struct closing *closing = argument;

	trace_call(closing->name, hub_sendfile(closing->socket, closing->file, NULL, LARGE));
	return NULL;
}

/* Says what the sender of a file is told whose number becomes that of another, where that is not
 * -1. */
static void
say_closed(const char *name, int file, int another)
{
	struct closing closing = {.name = name, .file = file};
	static char buffer[65536];
	struct hub_coroutine *sender;
	int ends[2];

	full_stream(ends);
	closing.socket = ends[0];
	sender = hub_spawn(send_file, &closing);
	until_it_waits(sender);
	if (another != -1)
		dup2(another, file);
	else
		close(file);
	while (recv(ends[1], buffer, sizeof buffer, MSG_DONTWAIT) > 0)
		continue;
	hub_join(sender, NULL);
	hub_close(ends[0]);
	hub_close(ends[1]);
	if (another != -1)
		hub_close(file);
}

static int
file_of_zeros(void)
{
	int file = memfd_create("zeros", MFD_CLOEXEC);

	ftruncate(file, LARGE);
	return file;
}

static void *
close_body(void *argument)
{
	int another[2];

	pipe(another);
	say_closed("closed", file_of_zeros(), -1);
	say_closed("another's", file_of_zeros(), another[0]);
	/* One that is told from another by the set of kinds. */
	say_closed("a device's", open("/dev/random", O_RDONLY | O_CLOEXEC), another[0]);
	close(another[0]);
	close(another[1]);
	return argument;
}

Test(sendfile, says_that_the_file_was_closed_meanwhile)
{
	in_hub(close_body, NULL);
	cr_assert_str_eq(trace_text(), "closed EBADF, another's EBADF, a device's EBADF");
}
