/* Opens connections. */
#ifndef HUBBUB_LOAD_DIAL_H
#define HUBBUB_LOAD_DIAL_H

struct driver;

/* Opens a connection to target number index, modulo the number of targets, when the connect rate
 * allows it; after the start the rate only limits if the user set it. The connect time, or the
 * failure, is recorded. Returns a file descriptor, or -1 with errno. Switches. */
int dial(struct driver *driver, unsigned index);

#endif
