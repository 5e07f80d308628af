/* @FILEs of any bytes, for libFuzzer: the arguments that are read are the lines of the file, each
 * with its line number. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hub/base/check.h"
#include "master/start/argument_file.h"
#include "master/start/arguments.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
takes_value(const char *item, const void *context)
{
	(void)context;
	return item[0] == '-' && item[1] != '\0' && strchr(item, '=') == NULL;
}

/* Counts the newlines. */
static unsigned
count_lines(const uint8_t *data, size_t size)
{
	unsigned count = 0;

	for (size_t i = 0; i < size; i++)
		count += data[i] == '\n';
	return count;
}

static void
judge(const struct arguments *arguments, unsigned lines)
{
	static const char *const names[] = {"listen", "processes", "idle-timeout", NULL};
	char error[256], place[128];
	unsigned last = 0;
	bool is_known, has_newline;

	for (int i = 1; i < arguments->count; i++) {
		CHECK(arguments->items[i] != NULL);
		arguments_place(arguments, i, place, sizeof place);
		if (arguments->files[i] == NULL)
			continue;
		CHECK(arguments->lines[i] >= 1 && arguments->lines[i] <= lines + 1);
		has_newline = strchr(arguments->items[i], '\n') != NULL;
		CHECK(!has_newline);
		CHECK(arguments->lines[i] >= last);
		last = arguments->lines[i];
	}
	CHECK(arguments->items[arguments->count] == NULL);
	error[0] = '\0';
	is_known = arguments_check_names(arguments, names, NULL, error, sizeof error);
	CHECK(is_known || error[0] != '\0');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("arguments", MFD_CLOEXEC);
	char path[40], error[512] = "";
	char *argv[] = {"program", "--one", path, "--last", NULL};
	struct arguments arguments;
	const char *why = NULL;
	bool is_same;
	char *text;

	CHECK(fd != -1);
	snprintf(path, sizeof path, "@/proc/self/fd/%d", fd);
	if (size > 0 && write(fd, data, size) != (ssize_t)size)
		abort();
	text = argument_file_read(path + 1, &why);
	is_same = text != NULL && strlen(text) == size && memcmp(text, data, size) == 0;
	CHECK(is_same == (why == NULL));
	free(text);
	if (arguments_expand(&arguments, 4, argv, takes_value, NULL, error, sizeof error) == 0)
		judge(&arguments, count_lines(data, size));
	else
		CHECK(error[0] != '\0');
	arguments_free(&arguments);
	close(fd);
	return 0;
}
