/* Opening the access log again, after its rotation; say/logfile.h has the log itself. */
#ifndef HUBBUB_CHANGE_REOPEN_H
#define HUBBUB_CHANGE_REOPEN_H

#include <stdbool.h>

struct master;

/* At the start, before the privileges are dropped: a file that was made is the user's, who is to
 * open it again. */
void reopen_prepare(struct master *master);

/* When they are dropped: warns of one that cannot be opened again. */
void reopen_check(const struct master *master);

/* Opens the access log again by its name, that of a reload under way, too, and sends it to all
 * workers. Returns whether there is a file that was opened. */
bool reopen_access_log(struct master *master);

#endif
