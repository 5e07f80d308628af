/* The configuration of a generation of workers, as it follows from the master's options; tls in it
 * stays the options' own.
 *
 * A shape that was set while the server ran (processes x threads) stays, through reloads and
 * upgrades, until the options themselves ask for another one than before. */
#ifndef HUBBUB_CHANGE_CONFIG_H
#define HUBBUB_CHANGE_CONFIG_H

#include "master/master.h"

/* What the options say. */
struct fleet_config config_of(const struct master *master, const struct options *options);

/* For the generation of a reload, by the options in master->next. */
struct fleet_config config_of_next(const struct master *master);

/* For the first generation of a new master in an upgrade. */
struct fleet_config config_of_successor(const struct master *master);

#endif
