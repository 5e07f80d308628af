#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/in_hub.h"

struct record {
	char path[64];
	ssize_t results[16];
	int errors[8];
	char text[32];
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
	until_it_waits(first);
	until_it_waits(writer);
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
