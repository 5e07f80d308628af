/* Command lines, one argument a line, for libFuzzer: read as on a reload. Every error must be
 * reported, and valid options must be the same when they are printed and read again. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hub/base/check.h"
#include "master/start/options.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARGUMENTS_MAX = 24 };

static void
serve(int client, void *context)
{
	(void)client, (void)context;
}

static const struct hubbub_service service = {
	.name = "fuzz", .version = "1", .listen = "127.0.0.1:9090", .serve = serve};

static bool
read_options(struct options *options, int count, char **argv)
{
	char error[512] = "";
	bool is_right =
		options_read(options, count, argv, &service, true, error, sizeof error) == 0;

	CHECK(is_right == (error[0] == '\0'));
	return is_right;
}

static char *
print(const struct options *options, size_t *length)
{
	char *text = NULL;
	FILE *stream = open_memstream(&text, length);

	CHECK(stream != NULL);
	options_print(options, &service, stream);
	fclose(stream);
	return text;
}

/* Strips from each line the comment that says where the value is from. */
static void
strip_comments(char *text)
{
	char *to = text;

	for (char *line = text; *line != '\0';) {
		size_t length = strcspn(line, "\n");
		bool is_comment = *line == '#';

		length += line[length] == '\n';
		if (!is_comment) {
			memmove(to, line, length);
			to += length;
		}
		line += length;
	}
	*to = '\0';
}

static void
read_again(const struct options *options)
{
	size_t length, again_length;
	char *text = print(options, &length), *again, path[40];
	char *argv[] = {"fuzz", path, NULL};
	int fd = memfd_create("options", MFD_CLOEXEC);
	struct options same;

	snprintf(path, sizeof path, "@/proc/self/fd/%d", fd);
	if (fd == -1 || write(fd, text, length) != (ssize_t)length)
		abort();
	if (!read_options(&same, 2, argv)) {
		fprintf(stderr, "not read again:\n%s", text);
		abort();
	}
	again = print(&same, &again_length);
	strip_comments(text);
	strip_comments(again);
	if (strcmp(text, again) != 0) {
		fprintf(stderr, "printed:\n%sand again:\n%s", text, again);
		abort();
	}
	options_free(&same);
	close(fd);
	free(text);
	free(again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *argv[ARGUMENTS_MAX + 2] = {"fuzz"}, *text = strndup((const char *)data, size), *rest;
	struct options options;
	int count = 1;

	CHECK(text != NULL);
	rest = text;
	while (rest != NULL && count <= ARGUMENTS_MAX)
		argv[count++] = strsep(&rest, "\n");
	/* The fuzzer must not read this machine's files. */
	if (strchr(text, '@') == NULL && strstr(text, "tls") == NULL) {
		if (read_options(&options, count, argv))
			read_again(&options);
		options_free(&options);
	}
	free(text);
	return 0;
}
