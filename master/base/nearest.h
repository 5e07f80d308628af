/* Suggestions for misspelt options and commands. */
#ifndef HUBBUB_MASTER_BASE_NEAREST_H
#define HUBBUB_MASTER_BASE_NEAREST_H

#include <stdbool.h>
#include <stddef.h>

/* Returns the name nearest to word among names (ended by NULL), or else the only name of which a
 * part begins with word, or NULL if none is likely to be meant. Of several equally near names the
 * first wins. */
const char *nearest_name(const char *word, const char *const *names);

/* What other programs call an option, and its name here; a list is ended by a pair of NULL. */
typedef const char *const nearest_synonym[2];

/* Checks an item of a command line. Returns false if it is a long option that is neither one of the
 * names (ended by NULL) nor the beginning of one, with a line in error that suggests the name of
 * which it is a synonym, or the nearest. synonyms may be NULL. */
bool nearest_check(const char *item, const char *const *names, nearest_synonym *synonyms,
	char *error, size_t size);

#endif
