/* The limit on open files. */
#ifndef HUBBUB_MASTER_LIMITS_H
#define HUBBUB_MASTER_LIMITS_H

/* Raises the soft limit to the hard one, for this process and its children. Returns 0, or -1 after
 * logging that the hard limit is too low for so many sockets, or for any client at all. */
int limits_raise(unsigned addresses, unsigned workers, unsigned hubs);

#endif
