/* A service manager as the server sees it: the test receives what is sent to NOTIFY_SOCKET. */
#ifndef HUBBUB_TESTS_MANAGER_H
#define HUBBUB_TESTS_MANAGER_H

#include <stdbool.h>

/* Makes a Unix socket in the directory, and sets NOTIFY_SOCKET to its path. Returns its fd, or
 * -1. */
int manager_open(const char *folder);

/* Receives notifications until one contains the text; drops those before it. Returns false if none
 * does within so many seconds (program_patience). */
bool manager_hears(int manager, const char *text, double seconds);

/* Drops notifications that have come so far. */
void manager_forget(int manager);

#endif
