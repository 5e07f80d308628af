/* A service manager, for which the test stands: what is sent to NOTIFY_SOCKET. */
#ifndef HUBBUB_TESTS_MANAGER_H
#define HUBBUB_TESTS_MANAGER_H

#include <stdbool.h>

/* Makes a socket in the folder, and puts its path into NOTIFY_SOCKET. Returns it, or -1. */
int manager_open(const char *folder);

/* Receives words until some hold the text, within seconds; those before are dropped. Returns
 * whether they do. */
bool manager_hears(int manager, const char *text, double seconds);

/* Drops what has come so far. */
void manager_forget(int manager);

#endif
