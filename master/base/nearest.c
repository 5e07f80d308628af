/* The nearest name is that of the fewest edits (Levenshtein distance); of two equally near ones,
 * one that begins with the word. A third of the word's letters plus one may differ, but not more
 * than half of them, so that a short word is not taken for any other. If no name is so near, the
 * word may be a part of one: "level" of "log-level". */
#include "master/base/nearest.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define PART_LEAST 3 /* letters */

/* Returns the number of edits (insert, delete, replace) that turn one word into the other. One row
 * of the usual matrix is kept. A word b of 64 letters or more is 64 edits away from everything. */
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

/* Whether a part of the name, between dashes, begins with the word. */
static bool
has_part(const char *name, const char *word)
{
	size_t length = strlen(word);
	const char *dash;

	while (strncmp(name, word, length) != 0) {
		dash = strchr(name, '-');
		if (dash == NULL)
			return false;
		name = dash + 1;
	}
	return true;
}

/* Returns the only name that has such a part; NULL if there is none, or several. */
static const char *
name_with_part(const char *word, const char *const *names)
{
	const char *only = NULL;

	if (strlen(word) < PART_LEAST)
		return NULL;
	for (; *names != NULL; names++) {
		if (!has_part(*names, word))
			continue;
		if (only != NULL)
			return NULL;
		only = *names;
	}
	return only;
}

const char *
nearest_name(const char *word, const char *const *names)
{
	const char *nearest = NULL, *const *all = names;
	unsigned length = (unsigned)strlen(word);
	unsigned most = length / 3 + 1 < length / 2 ? length / 3 + 1 : length / 2;
	unsigned least = 2 * most + 2;

	for (; *names != NULL; names++) {
		unsigned rank = 2 * distance(word, *names) + (strncmp(*names, word, length) != 0);

		if (rank < least) {
			least = rank;
			nearest = *names;
		}
	}
	return nearest != NULL ? nearest : name_with_part(word, all);
}

static const char *
find_synonym(const char *word, nearest_synonym *synonyms)
{
	for (; synonyms != NULL && (*synonyms)[0] != NULL; synonyms++)
		if (strcmp(word, (*synonyms)[0]) == 0)
			return (*synonyms)[1];
	return NULL;
}

bool
nearest_check(const char *item, const char *const *names, nearest_synonym *synonyms, char *error,
	size_t size)
{
	char name[64];
	const char *meant;

	if (strncmp(item, "--", 2) != 0)
		return true;
	snprintf(name, sizeof name, "%.*s", (int)strcspn(item + 2, "="), item + 2);
	/* argp judges abbreviations. */
	for (const char *const *each = names; *each != NULL; each++)
		if (strncmp(*each, name, strlen(name)) == 0)
			return true;
	meant = find_synonym(name, synonyms);
	if (meant == NULL)
		meant = nearest_name(name, names);
	if (meant != NULL)
		snprintf(error, size, "--%s: there is no such option; did you mean --%s?", name,
			meant);
	else
		snprintf(error, size, "--%s: there is no such option; see --help", name);
	return false;
}
