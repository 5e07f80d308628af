/* The configuration of a generation, made from the master's options, which keep ownership of tls.
 *
 * A shape (processes x threads) that was set while the server ran stays, through reloads and
 * upgrades, until the options themselves ask for another shape than before. */
#ifndef HUBBUB_CHANGE_CONFIG_H
#define HUBBUB_CHANGE_CONFIG_H

#include "master/master.h"

/* Once the sockets are there: finds the listener of each address, and makes the rings of flight
 * recorders, and the tally, if the options need it. Returns 0, or -1 after logging: the service
 * lacks a listener, which a former master's service had, or there is no memory. */
int config_prepare(struct master *master);

/* Makes the tally of connections per peer, if these options set a limit and there is none. Returns
 * 0, or -1 with errno. */
int config_make_tally(struct master *master, const struct options *options);

/* At the end of the master: frees the tally and the rings. */
void config_end(struct master *master);

/* As these options say. */
struct fleet_config config_of(const struct master *master, const struct options *options);

/* For the generation of a reload: by master->next, with the present shape if next asks for the same
 * shape as master->options. */
struct fleet_config config_of_next(const struct master *master);

/* For the first generation of a new master in an upgrade, with the old master's shape under the
 * same condition. */
struct fleet_config config_of_successor(const struct master *master);

#endif
