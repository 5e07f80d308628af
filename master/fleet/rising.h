/* Rising: another generation, or more slots for the serving generation, from the start of their
 * workers until they take over or are dropped. All or nothing: until fleet_commit the serving
 * generation stays as it is, and sockets bound for a generation that is dropped are closed
 * again. */
#ifndef HUBBUB_FLEET_RISING_H
#define HUBBUB_FLEET_RISING_H

#include "master/fleet/roster.h"

/* Starts a generation that is to replace the serving one: events.risen or events.fell follows.
 * Returns 0, or -1 with *why (static text) and nothing changed. */
int fleet_rise(struct fleet *fleet, const struct fleet_config *config, const char **why);

/* Changes the number of slots of the serving generation. Surplus slots leave at once; additional
 * slots rise as a generation that joins the serving one, with events as for fleet_rise. Returns 0,
 * or -1 with *why (static text) and nothing changed. */
int fleet_resize(struct fleet *fleet, unsigned processes, const char **why);

/* Makes all seats of the risen generation listen, before fleet_commit. Returns 0, or -1 with *why
 * (static text) and the group as it was before. */
int fleet_listen(struct fleet *fleet, const char **why);

/* The risen generation takes over, and the former generation drains. If the risen generation joins,
 * its slots become the last slots of the serving generation instead. */
void fleet_commit(struct fleet *fleet);

/* Closes seats that were bound for abandoned generations, once the last of their workers is dead
 * and no generation rises. */
void fleet_give_seats_back(struct fleet *fleet);

/* Retires the listening seats beyond those of the configuration. */
void fleet_retire_beyond(struct fleet *fleet, const struct fleet_config *config);

/* permits_revoke, as a visitor for generation_each. */
void fleet_revoke_slot(struct slot *slot, void *unused);

#endif
