/* A world in which a test says what names stand for. */
#ifndef HUBBUB_TESTS_NAMES_H
#define HUBBUB_TESTS_NAMES_H

#include <stdbool.h>

/* From now on this process, and what it starts, sees a hosts file with that text and a network of
 * its own, with nothing but the loopback, where all ports are free. Returns NULL, or why that
 * cannot be (static). */
const char *names_enter(const char *hosts, bool has_v6);

/* Replaces the hosts file's text. Returns whether it could. */
bool names_change(const char *hosts);

#endif
