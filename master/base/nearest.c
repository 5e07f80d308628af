/* The nearest name is that of the fewest edits (Levenshtein distance); of two equally near ones,
 * one that begins with the word. A third of the word's letters plus one may differ, but not more
 * than half of them, so that a short word is not taken for any other. */
#include "master/base/nearest.h"

#include <stddef.h>
#include <string.h>

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

const char *
nearest_name(const char *word, const char *const *names)
{
	const char *nearest = NULL;
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
	return nearest;
}
