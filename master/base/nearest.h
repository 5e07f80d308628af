/* What a misspelt word may have been meant to be. */
#ifndef HUBBUB_MASTER_BASE_NEAREST_H
#define HUBBUB_MASTER_BASE_NEAREST_H

/* The name nearest to word among names (ended by NULL), or NULL if none is near enough to be
 * meant. */
const char *nearest_name(const char *word, const char *const *names);

#endif
