/* How a server accepts: as may_accept permits, as open files and memory allow, and past the errors
 * of single connections. */
#ifndef HUBBUB_IO_ACCEPTING_PRIV_H
#define HUBBUB_IO_ACCEPTING_PRIV_H

struct hub_server;

/* Waits until a session ends, which frees what was short, or until the pause is over. Returns 0 or
 * an errno. */
int accepting_back_off(struct hub_server *server);

#endif
