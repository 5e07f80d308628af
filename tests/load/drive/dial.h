/* Opening connections. */
#ifndef HUBBUB_LOAD_DIAL_H
#define HUBBUB_LOAD_DIAL_H

struct driver;

/* Opens a connection to the target of number index, when it is its turn by the connect rate; after
 * the start that only counts if it was asked for. Its time is recorded and its failure counted.
 * Returns a descriptor, or -1 and errno. Switches. */
int dial(struct driver *driver, unsigned index);

#endif
