/* How a server takes what has come to its socket: as it is permitted, as files and memory allow,
 * and past the errors of single connections. */
#ifndef HUBBUB_IO_ACCEPTING_PRIV_H
#define HUBBUB_IO_ACCEPTING_PRIV_H

struct hub_server;

/* Waits until a session leaves, which frees what was lacking, or the pause is over. Returns 0 or an
 * errno. */
int accepting_back_off(struct hub_server *server);

#endif
