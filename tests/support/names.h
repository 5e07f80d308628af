/* Namespaces in which the test decides what host names resolve to. */
#ifndef HUBBUB_TESTS_NAMES_H
#define HUBBUB_TESTS_NAMES_H

#include <stdbool.h>

/* From now on this process and its children have a hosts file with that text, and a network of
 * their own with only the loopback, where all ports are free. Returns NULL, or why that is
 * impossible (static). */
const char *names_enter(const char *hosts, bool has_v6);

/* Replaces the text of that hosts file. Returns whether it could. */
bool names_change(const char *hosts);

#endif
