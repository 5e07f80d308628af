#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/full.h"
#include "tests/support/in_hub.h"

#define LARGE (1024 * 1024)

struct record {
	char path[64];
	ssize_t results[3];
	int errors[3];
	ssize_t sent, received;
	off_t offset;
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
	record->results[0] = hub_connect(client, (struct sockaddr *)&address, length);
	hub_close(hub_accept(listener, NULL, NULL));
	for (int i = 1; i <= 2; i++) {
		record->offset = 0;
		record->results[i] = hub_sendfile(client, fd, &record->offset, LARGE);
		record->errors[i] = errno;
	}
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
	cr_assert_eq(record.results[0], 0);
	cr_assert_lt(record.results[1], LARGE);
	cr_assert_eq(record.results[2], -1);
	cr_assert_eq(record.errors[2], EPIPE);
}

/* ---- the file is closed while the socket is waited for ---- */

struct closing {
	int socket, file;
	ssize_t sent;
	int error;
};

static void *
send_file(void *argument)
{
	struct closing *closing = argument;

	closing->sent = hub_sendfile(closing->socket, closing->file, NULL, LARGE);
	closing->error = errno;
	return NULL;
}

/* Of file, whose number becomes that of another where that is not -1. Returns the errno. */
static int
error_of(int file, int another)
{
	struct closing closing = {.file = file};
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
	return closing.sent == -1 ? closing.error : 0;
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
	int *errors = argument, another[2];

	pipe(another);
	errors[0] = error_of(file_of_zeros(), -1);
	errors[1] = error_of(file_of_zeros(), another[0]);
	/* One that is told from another by the set of kinds. */
	errors[2] = error_of(open("/dev/random", O_RDONLY | O_CLOEXEC), another[0]);
	close(another[0]);
	close(another[1]);
	return NULL;
}

Test(sendfile, says_that_the_file_was_closed_meanwhile)
{
	static const int expected[] = {EBADF, EBADF, EBADF};
	int errors[3] = {0};

	in_hub(close_body, errors);
	cr_assert_arr_eq(
		errors, expected, sizeof expected, "%d %d %d", errors[0], errors[1], errors[2]);
}
