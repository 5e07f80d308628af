/* hubbub-load runs as a program, with a result file in a temporary directory. Options against the
 * effects of a busy machine come first, so that the test's own options override them. */
#include "tests/support/loader.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ARGUMENTS_MAX 64

/* Ends the program, if there is one. A loader that was never started is all zero. */
static void
end(struct loader *loader)
{
	if (loader->program.output > 0)
		program_end(&loader->program);
	loader->program = (struct program){.output = -1};
}

static bool
start(struct loader *loader, int port, va_list more)
{
	char *argv[ARGUMENTS_MAX] = {program_path("hubbub-load")}, target[32],
	     result[FOLDER_SIZE + 16];
	char *next = va_arg(more, char *);
	int count = 1;

	json_decref(loader->result);
	loader->result = NULL;
	end(loader);
	if (loader->folder[0] == '\0' && !folder_make(loader->folder))
		return false;
	/* A command comes before all options. */
	if (next != NULL && next[0] != '-') {
		argv[count++] = next;
		next = va_arg(more, char *);
	}
	/* A busy machine must not fail a test about something else. The test's options follow, and
	 * override these. */
	argv[count++] = "--max-lag=10s";
	if (program_is_sanitized()) {
		argv[count++] = "--timeout=60s";
		argv[count++] = "--connect-timeout=60s";
	}
	for (; next != NULL && count < ARGUMENTS_MAX - 4; next = va_arg(more, char *))
		argv[count++] = next;
	snprintf(result, sizeof result, "%s/result.json", loader->folder);
	remove(result);
	argv[count++] = "-o";
	argv[count++] = result;
	snprintf(target, sizeof target, "127.0.0.1:%d", port);
	if (port != 0)
		argv[count++] = target;
	argv[count] = NULL;
	return program_start(&loader->program, argv, loader->files);
}

bool
loader_start(struct loader *loader, int port, ...)
{
	va_list more;
	bool was_started;

	va_start(more, port);
	was_started = start(loader, port, more);
	va_end(more);
	return was_started;
}

struct wait {
	struct loader *loader;
	double seconds;
};

/* An interval that the generator was late for has a later time than planned: "1.2s", not "1s". */
static bool
has_lasted(void *context)
{
	const struct wait *wait = context;
	const char *line = wait->loader->program.text;
	double lasted = 0, most = 0;

	program_expect(&wait->loader->program, "no such text", 0.01);
	for (; line != NULL; line = strchr(line, '\n')) {
		char unit = '\0';

		line += *line == '\n';
		if (sscanf(line, "%lf%c", &lasted, &unit) == 2 && unit == 's' && lasted > most)
			most = lasted;
	}
	return most >= wait->seconds;
}

bool
loader_lasts(struct loader *loader, double seconds)
{
	struct wait wait = {loader, seconds};

	return wait_until(has_lasted, &wait, 20);
}

int
loader_wait(struct loader *loader, double seconds)
{
	int code = program_wait(&loader->program, seconds);

	loader->result = json_load_file(loader_file(loader, "result.json"), 0, NULL);
	return code;
}

int
loader_run(struct loader *loader, int port, ...)
{
	va_list more;
	bool was_started;

	va_start(more, port);
	was_started = start(loader, port, more);
	va_end(more);
	return was_started ? loader_wait(loader, 300) : -1;
}

double
loader_number(const struct loader *loader, const char *path)
{
	const json_t *at = loader->result;
	char copy[128], *rest = NULL;

	snprintf(copy, sizeof copy, "%s", path);
	for (char *key = strtok_r(copy, ".", &rest); key != NULL; key = strtok_r(NULL, ".", &rest))
		at = json_object_get(at, key);
	return json_is_number(at) ? json_number_value(at) : -1;
}

const char *
loader_verdict(const struct loader *loader)
{
	const char *text = json_string_value(json_object_get(loader->result, "verdict"));

	return text != NULL ? text : "(no result)";
}

bool
loader_is_finite(const struct loader *loader)
{
	const char *text = loader->program.text;

	return loader->result != NULL && strstr(text, "nan") == NULL &&
	       strstr(text, "inf ") == NULL && strstr(text, "inf/") == NULL;
}

char *
loader_file(struct loader *loader, const char *name)
{
	snprintf(loader->path, sizeof loader->path, "%s/%s", loader->folder, name);
	return loader->path;
}

void
loader_clean(struct loader *loader)
{
	end(loader);
	json_decref(loader->result);
	loader->result = NULL;
	folder_remove(loader->folder);
}
