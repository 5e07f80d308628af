#include "master/start/argument_file.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const char *why;

TestSuite(argument_file, .timeout = 30);

/* Reads a file of these bytes. */
static char *
read_bytes(const char *bytes, size_t length)
{
	int fd = memfd_create("arguments", MFD_CLOEXEC);
	char path[64], *text;

	cr_assert_eq(write(fd, bytes, length), (ssize_t)length);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	text = argument_file_read(path, &why);
	close(fd);
	return text;
}

Test(argument_file, a_file_is_read_whole_up_to_a_limit)
{
	size_t length = ARGUMENT_FILE_MAX;
	char *bytes = malloc(length + 1), *text;

	memset(bytes, 'a', length + 1);
	text = read_bytes(bytes, length);
	cr_assert_not_null(text, "%s", why);
	cr_assert_eq(strlen(text), length);
	free(text);
	cr_assert_null(read_bytes(bytes, length + 1));
	cr_assert_str_eq(why, "it is longer than 1 MiB");
	free(bytes);
	text = read_bytes("", 0);
	cr_assert_str_empty(text);
	free(text);
}

Test(argument_file, what_is_no_text_is_refused)
{
	cr_assert_null(read_bytes("--a\0b", 5));
	cr_assert_str_eq(why, "it contains a NUL byte, so it is not text");
	cr_assert_null(argument_file_read("/dev/zero", &why));
	cr_assert_not_null(why);
	cr_assert_null(argument_file_read("/", &why));
	cr_assert_str_eq(why, "Is a directory");
	cr_assert_null(argument_file_read("/no/such/file", &why));
	cr_assert_str_eq(why, "No such file or directory");
}

static void *
write_late(void *fd)
{
	usleep(100000);
	if (write(*(int *)fd, "--late", 6) == 6)
		close(*(int *)fd);
	return NULL;
}

Test(argument_file, a_pipe_is_waited_for_but_not_for_ever)
{
	pthread_t writer;
	char path[64], *text;
	int ends[2];

	cr_assert_eq(pipe(ends), 0);
	snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
	cr_assert_null(argument_file_read(path, &why), "its writer says nothing");
	cr_assert_not_null(strstr(why, "pipe"), "%s", why);
	cr_assert_eq(pthread_create(&writer, NULL, write_late, &ends[1]), 0);
	text = argument_file_read(path, &why);
	cr_assert_not_null(text, "%s", why);
	cr_assert_str_eq(text, "--late");
	free(text);
	pthread_join(writer, NULL);
}

static void *
write_on(void *fd)
{
	static const char line[] = "--more\n";

	for (int i = 0; i < 200; i++)
		if (pwrite(*(int *)fd, line, sizeof line - 1, (off_t)i * 7) < 0)
			break;
	return NULL;
}

/* Whatever it was read as in between is not what was meant. */
Test(argument_file, one_that_is_written_meanwhile_is_read_whole_or_refused)
{
	int fd = memfd_create("arguments", MFD_CLOEXEC);
	char path[64], *text;
	pthread_t writer;

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	for (int i = 0; i < 200; i++) {
		cr_assert_eq(ftruncate(fd, 0), 0);
		cr_assert_eq(pthread_create(&writer, NULL, write_on, &fd), 0);
		text = argument_file_read(path, &why);
		cr_assert(text != NULL || strstr(why, "while it was read") != NULL, "%s", why);
		free(text);
		pthread_join(writer, NULL);
	}
	text = argument_file_read(path, &why);
	cr_assert_eq(strlen(text), 1400);
	free(text);
	close(fd);
}
