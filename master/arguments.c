#include "master/arguments.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct vector {
	char **items;
	int count;
	int room;
};

static void
vector_add(struct vector *vector, char *item)
{
	if (vector->count + 1 >= vector->room) {
		vector->room = vector->room != 0 ? 2 * vector->room : 64;
		vector->items = realloc(vector->items, (size_t)vector->room * sizeof *vector->items);
		if (vector->items == NULL)
			abort();
	}
	vector->items[vector->count++] = item;
	vector->items[vector->count] = NULL;
}

static int
add_file(struct vector *vector, const char *path)
{
	FILE *stream = fopen(path, "re");
	char *line = NULL;
	size_t room = 0;
	ssize_t length;

	if (stream == NULL)
		return -1;
	while ((length = getline(&line, &room, stream)) > 0) {
		char *start = line + strspn(line, " \t");

		while (length > 0 && strchr(" \t\r\n", line[length - 1]) != NULL)
			line[--length] = '\0';
		if (*start != '\0' && *start != '#')
			vector_add(vector, strdup(start));
	}
	free(line);
	fclose(stream);
	return 0;
}

char **
arguments_expand(int *argc, char **argv, char *error, int error_size)
{
	struct vector vector = {0};

	for (int i = 0; i < *argc; i++) {
		if (i == 0 || argv[i][0] != '@') {
			vector_add(&vector, argv[i]);
		} else if (add_file(&vector, argv[i] + 1) != 0) {
			snprintf(error, (size_t)error_size,
				"%s: cannot read the argument file: %s", argv[i], strerror(errno));
			return NULL;
		}
	}
	*argc = vector.count;
	return vector.items;
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
