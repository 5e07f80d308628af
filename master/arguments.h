/* What happens to argv before the option parser sees it. */
#ifndef HUBBUB_MASTER_ARGUMENTS_H
#define HUBBUB_MASTER_ARGUMENTS_H

/* Replaces each @FILE by the lines of FILE, one argument a line, without those that are blank or
 * begin with '#'; files do not nest. Returns a new argv, ended by NULL, that is never freed, with
 * *argc set; or NULL with a message in error. */
char **arguments_expand(int *argc, char **argv, char *error, int error_size);

/* The name nearest to word among names (ended by NULL), or NULL if none is near enough to be meant. */
const char *arguments_nearest(const char *word, const char *const *names);

#endif
