/* Suggestions for misspelt options and commands. */
#ifndef HUBBUB_MASTER_BASE_NEAREST_H
#define HUBBUB_MASTER_BASE_NEAREST_H

/* Returns the name nearest to word among names (ended by NULL), or NULL if none is near enough to
 * be a likely misspelling. Of several equally near names the first wins. */
const char *nearest_name(const char *word, const char *const *names);

#endif
