#include "master/arguments.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void
add(struct arguments *arguments, const char *item, const char *file)
{
	size_t room = (size_t)arguments->count + 2;
	char **items = realloc(arguments->items, room * sizeof *items);
	const char **files = realloc(arguments->files, room * sizeof *files);
	char *copy = strdup(item);

	if (items != NULL)
		arguments->items = items;
	if (files != NULL)
		arguments->files = files;
	if (items == NULL || files == NULL || copy == NULL) {
		free(copy);
		arguments->is_short = true;
		return;
	}
	files[arguments->count] = file;
	items[arguments->count++] = copy;
	items[arguments->count] = NULL;
}

/* One argument, or an option and its value with blanks between. */
static void
add_line(struct arguments *arguments, char *line, const char *file)
{
	char *blank = line + strcspn(line, " \t="), *value;

	if (*line == '-' && *blank != '\0' && *blank != '=') {
		value = blank + strspn(blank, " \t");
		*blank = '\0';
		add(arguments, line, file);
		add(arguments, value, file);
	} else {
		add(arguments, line, file);
	}
}

static int
add_file(struct arguments *arguments, const char *path)
{
	/* A pipe that nobody writes to must not keep a running server waiting. */
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	FILE *stream = fd != -1 ? fdopen(fd, "r") : NULL;
	char *line = NULL;
	size_t room = 0;
	ssize_t length;
	int error;

	if (stream == NULL) {
		if (fd != -1)
			close(fd);
		return -1;
	}
	while ((length = getline(&line, &room, stream)) > 0) {
		char *start = line + strspn(line, " \t");

		while (length > 0 && strchr(" \t\r\n", line[length - 1]) != NULL)
			line[--length] = '\0';
		if (*start != '\0' && *start != '#')
			add_line(arguments, start, path);
	}
	error = ferror(stream) ? errno : 0;
	free(line);
	fclose(stream);
	errno = error;
	return error == 0 ? 0 : -1;
}

int
arguments_expand(struct arguments *arguments, int argc, char **argv,
	bool (*takes_value)(const char *item, const void *context), const void *context,
	char *error, size_t error_size)
{
	*arguments = (struct arguments){0};
	for (int i = 0; i < argc; i++) {
		bool is_value = i > 1 && takes_value != NULL && takes_value(argv[i - 1], context);

		if (i == 0 || argv[i][0] != '@' || is_value) {
			add(arguments, argv[i], NULL);
		} else if (add_file(arguments, argv[i] + 1) != 0) {
			snprintf(error, error_size, "%s: cannot read the argument file: %s",
				argv[i], strerror(errno));
			return -1;
		}
	}
	if (arguments->is_short)
		snprintf(error, error_size, "no memory for the arguments");
	return arguments->is_short ? -1 : 0;
}

const char *
arguments_keep(struct arguments *arguments, const char *text, size_t length)
{
	char **kept = realloc(arguments->kept, (arguments->kept_count + 1) * sizeof *kept);
	char *copy = strndup(text, length);

	if (kept != NULL)
		arguments->kept = kept;
	if (kept == NULL || copy == NULL) {
		free(copy);
		return NULL;
	}
	kept[arguments->kept_count++] = copy;
	return copy;
}

void
arguments_free(struct arguments *arguments)
{
	for (int i = 0; i < arguments->count; i++)
		free(arguments->items[i]);
	for (size_t i = 0; i < arguments->kept_count; i++)
		free(arguments->kept[i]);
	free(arguments->items);
	free(arguments->files);
	free(arguments->kept);
	*arguments = (struct arguments){0};
}

/* Edits (insert, delete, replace) between two short words. */
static unsigned
distance(const char *a, const char *b)
{
	unsigned row[64], length = (unsigned)strlen(b);

	if (length >= 64)
		return 64;
	for (unsigned j = 0; j <= length; j++)
		row[j] = j;
	for (unsigned i = 1; a[i - 1] != '\0'; i++) {
		unsigned diagonal = row[0];

		row[0] = i;
		for (unsigned j = 1; j <= length; j++) {
			unsigned replaced = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			row[j] = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
			if (replaced < row[j])
				row[j] = replaced;
		}
	}
	return row[length];
}

const char *
arguments_nearest(const char *word, const char *const *names)
{
	const char *nearest = NULL;
	unsigned least = (unsigned)strlen(word) / 3 + 2;

	for (; *names != NULL; names++) {
		unsigned edits = distance(word, *names);

		if (edits < least) {
			least = edits;
			nearest = *names;
		}
	}
	return nearest;
}

bool
arguments_check_names(
	int argc, char **argv, const char *const *names, char *error, size_t error_size)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		char name[64];
		const char *nearest;
		bool is_known = false;

		if (strncmp(argv[i], "--", 2) != 0)
			continue;
		snprintf(name, sizeof name, "%.*s", (int)strcspn(argv[i] + 2, "="), argv[i] + 2);
		/* An abbreviation is argp's to judge. */
		for (const char *const *each = names; *each != NULL; each++)
			is_known = is_known || strncmp(*each, name, strlen(name)) == 0;
		if (is_known)
			continue;
		nearest = arguments_nearest(name, names);
		if (nearest != NULL)
			snprintf(error, error_size,
				"--%s: there is no such option; did you mean --%s?", name, nearest);
		else
			snprintf(error, error_size, "--%s: there is no such option; see --help",
				name);
		return false;
	}
	return true;
}

int
arguments_find_word(
	const char *word, const char *const *words, unsigned count, char *list, size_t list_size)
{
	size_t used = 0;

	list[0] = '\0';
	for (unsigned i = 0; i < count; i++) {
		if (strcmp(word, words[i]) == 0)
			return (int)i;
		if (used < list_size)
			used += (size_t)snprintf(list + used, list_size - used, "%s%s",
				i == 0 ? "" : ", ", words[i]);
	}
	return -1;
}
