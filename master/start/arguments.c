/* argv becomes a copy in which each @FILE is replaced by its lines; files and lines run in parallel
 * to items and remember where each came from. The copy needs to know which option takes a value, so
 * that "--user @x" is not taken for a file. */
#include "master/start/arguments.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "master/start/argument_file.h"

#define PLACE_SIZE 256

/* The state of one expansion of a command line. */
struct expansion {
	struct arguments *arguments;
	bool (*takes_value)(const char *item, const void *context);
	const void *context;
	bool wants_value; /* the item that was added last takes the next one as its value */
	bool is_over;     /* "--" was added: operands follow */
	const char *file; /* the FILE that items come from at present; NULL for the command line */
	unsigned line;    /* of that FILE, from 1 */
	char *error;
	size_t error_size;
};

/* Makes room for another item and the NULL behind it. Returns false if out of memory; the items
 * that are there stay. */
static bool
grow(struct arguments *arguments)
{
	size_t room = (size_t)arguments->count + 2;
	char **items = realloc(arguments->items, room * sizeof *items);
	const char **files = realloc(arguments->files, room * sizeof *files);
	unsigned *lines = realloc(arguments->lines, room * sizeof *lines);

	if (items != NULL)
		arguments->items = items;
	if (files != NULL)
		arguments->files = files;
	if (lines != NULL)
		arguments->lines = lines;
	return items != NULL && files != NULL && lines != NULL;
}

/* Appends a copy of an item, and finds out whether it takes the next one as its value. Sets
 * is_short if out of memory. */
static void
add(struct expansion *expansion, const char *item)
{
	struct arguments *arguments = expansion->arguments;
	char *copy = strdup(item);

	if (!grow(arguments) || copy == NULL) {
		free(copy);
		arguments->is_short = true;
		return;
	}
	if (arguments->count > 0) {
		expansion->is_over =
			expansion->is_over || (!expansion->wants_value && strcmp(item, "--") == 0);
		expansion->wants_value = !expansion->wants_value && !expansion->is_over &&
					 expansion->takes_value != NULL &&
					 expansion->takes_value(item, expansion->context);
	}
	arguments->files[arguments->count] = expansion->file;
	arguments->lines[arguments->count] = expansion->line;
	arguments->items[arguments->count++] = copy;
	arguments->items[arguments->count] = NULL;
}

/* Adds a line of a file: one argument, or an option and its value separated by blanks. Returns
 * false with error set. */
static bool
add_line(struct expansion *expansion, char *line)
{
	char *blank = line + strcspn(line, " \t="), *value;

	if (*line == '@' && !expansion->wants_value) {
		snprintf(expansion->error, expansion->error_size,
			"%s:%u: '%s': an @FILE cannot name another", expansion->file,
			expansion->line, line);
		return false;
	}
	if (!expansion->wants_value && *line == '-' && *blank != '\0' && *blank != '=') {
		value = blank + strspn(blank, " \t");
		*blank = '\0';
		add(expansion, line);
		add(expansion, value);
	} else {
		add(expansion, line);
	}
	return true;
}

/* Adds the lines of a file, without blanks at either end. Changes text. Returns false with error
 * set. */
static bool
add_lines(struct expansion *expansion, char *text)
{
	char *line, *next = text;

	while ((line = strsep(&next, "\n")) != NULL) {
		char *start = line + strspn(line, " \t");
		size_t length = strlen(start);

		expansion->line++;
		while (length > 0 && strchr(" \t\r", start[length - 1]) != NULL)
			start[--length] = '\0';
		if (*start != '\0' && *start != '#' && !add_line(expansion, start))
			return false;
	}
	return true;
}

/* The last option of a file must not take its value from the command line. Returns false with error
 * set. */
static bool
check_end(const struct expansion *expansion)
{
	const struct arguments *arguments = expansion->arguments;
	char place[PLACE_SIZE];
	int last = arguments->count - 1;

	if (!expansion->wants_value || arguments->files[last] != expansion->file)
		return true;
	snprintf(expansion->error, expansion->error_size, "%s%s lacks its value",
		arguments_place(arguments, last, place, sizeof place), arguments->items[last]);
	return false;
}

/* Adds the arguments in the file that "@FILE" names. Returns false with error set. */
static bool
add_file(struct expansion *expansion, const char *item)
{
	const char *why;
	char *text = argument_file_read(item + 1, &why);
	bool is_right;

	if (text == NULL) {
		snprintf(expansion->error, expansion->error_size,
			"%s: cannot read the argument file: %s", item, why);
		return false;
	}
	expansion->file = item + 1;
	expansion->line = 0;
	if (*text == '\0')
		expansion->arguments->empty = expansion->file;
	is_right = add_lines(expansion, text) && check_end(expansion);
	expansion->file = NULL;
	expansion->line = 0;
	free(text);
	return is_right;
}

int
arguments_expand(struct arguments *arguments, int argc, char **argv,
	bool (*takes_value)(const char *item, const void *context), const void *context,
	char *error, size_t error_size)
{
	struct expansion expansion = {.arguments = arguments,
		.takes_value = takes_value,
		.context = context,
		.error = error,
		.error_size = error_size};

	*arguments = (struct arguments){0};
	for (int i = 0; i < argc; i++) {
		if (i == 0 || argv[i][0] != '@' || expansion.wants_value)
			add(&expansion, argv[i]);
		else if (!add_file(&expansion, argv[i]))
			return -1;
	}
	if (arguments->is_short)
		snprintf(error, error_size, "no memory for the arguments");
	return arguments->is_short ? -1 : 0;
}

const char *
arguments_place(const struct arguments *arguments, int item, char *text, size_t size)
{
	text[0] = '\0';
	if (item >= 0 && item < arguments->count && arguments->files[item] != NULL)
		snprintf(text, size, "%s:%u: ", arguments->files[item], arguments->lines[item]);
	return text;
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
	free(arguments->lines);
	free(arguments->kept);
	*arguments = (struct arguments){0};
}

bool
arguments_check_names(const struct arguments *arguments, const char *const *names,
	nearest_synonym *synonyms, char *error, size_t error_size)
{
	char **items = arguments->items, place[PLACE_SIZE], why[256];

	for (int i = 1; i < arguments->count && strcmp(items[i], "--") != 0; i++) {
		if (nearest_check(items[i], names, synonyms, why, sizeof why))
			continue;
		snprintf(error, error_size, "%s%s",
			arguments_place(arguments, i, place, sizeof place), why);
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
