#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/in_hub.h"

#define LARGE (1024 * 1024)

struct record {
	char path[64];
	ssize_t results[16];
	int errors[8];
	char text[32];
	ssize_t sent, received;
	off_t offset;
};

static void *
file_body(void *argument)
{
	struct record *record = argument;
	struct hub_timeout scope;
	int fd = hub_open(record->path, O_RDWR | O_TRUNC, 0600);

	record->results[0] = hub_write(fd, "hello ", 6);
	record->results[1] = hub_write(fd, "world", 5);
	record->results[2] = hub_pwrite(fd, "W", 1, 6);
	record->results[3] = hub_fsync(fd);
	record->results[4] = hub_fdatasync(fd);
	record->results[5] = hub_pread(fd, record->text, 32, 0);
	lseek(fd, 6, SEEK_SET);
	record->results[6] = hub_read(fd, record->text + 16, 8);
	record->results[7] = hub_read(fd, record->text + 24, 8);
	hub_timeout_start(&scope, 0);
	record->errors[0] = hub_write(fd, "x", 1) == -1 ? errno : 0;
	record->errors[1] = hub_read(fd, record->text, 1) == -1 ? errno : 0;
	hub_timeout_stop(&scope);
	hub_close(fd);
	record->errors[2] = hub_open("/no/such/file", O_RDONLY, 0) == -1 ? errno : 0;
	record->errors[3] = hub_pread(-1, record->text, 1, 0) == -1 ? errno : 0;
	return NULL;
}

Test(file, reads_writes_and_syncs)
{
	static const ssize_t expected[] = {6, 5, 1, 0, 0, 11, 5, 0};
	struct record record = {.path = "/tmp/hubbub-test-XXXXXX"};

	close(mkstemp(record.path));
	in_hub(file_body, &record);
	unlink(record.path);
	cr_assert_arr_eq(record.results, expected, sizeof expected);
	cr_assert_eq(strncmp(record.text, "hello World", 11), 0);
	cr_assert_eq(strncmp(record.text + 16, "World", 5), 0);
	cr_assert_eq(record.errors[0], ETIMEDOUT);
	cr_assert_eq(record.errors[1], ETIMEDOUT);
	cr_assert_eq(record.errors[2], ENOENT);
	cr_assert_eq(record.errors[3], EBADF);
}

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

Test(file, sendfile_waits_for_the_socket)
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

Test(file, sendfile_to_one_who_has_gone_raises_no_signal)
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

/* ---- closed before its turn ---- */

static void *
block_thread(void *argument)
{
	usleep(30000);
	return argument;
}

static void *
occupy(void *argument)
{
	hub_offload(block_thread, NULL, NULL);
	return argument;
}

static void *
write_secret(void *argument)
{
	struct record *record = argument;

	record->results[0] = hub_write((int)record->offset, "SECRET", 6);
	return NULL;
}

static void *
closed_body(void *argument)
{
	struct record *record = argument;
	struct hub_coroutine *first = hub_spawn(occupy, NULL), *writer;
	char byte;

	record->offset = hub_open(record->path, O_RDWR, 0);
	writer = hub_spawn(write_secret, record);
	hub_sleep(0);
	hub_sleep(0);
	hub_close((int)record->offset);
	/* Gets the number that the file had. */
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	hub_join(writer, NULL);
	hub_join(first, NULL);
	record->results[1] = recv(pair[1], &byte, 1, MSG_DONTWAIT);
	hub_close(pair[0]);
	hub_close(pair[1]);
	return NULL;
}

Test(file, what_waits_its_turn_never_reaches_another_descriptor)
{
	struct record record = {.path = "/tmp/hubbub-test-XXXXXX"};

	close(mkstemp(record.path));
	setenv("HUBBUB_OFFLOAD_THREADS", "1", 1);
	in_hub(closed_body, &record);
	unlink(record.path);
	cr_assert_eq(record.results[0], 6);
	cr_assert_eq(record.results[1], -1);
}
