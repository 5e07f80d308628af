/* Rising: another generation, or more slots of the one that serves, from the start of their workers
 * until they take over or are dropped. All of it or nothing: until fleet_commit the generation that
 * serves is what it was, and what was bound for one that falls is closed again. */
#ifndef HUBBUB_FLEET_RISING_H
#define HUBBUB_FLEET_RISING_H

#include "master/fleet/roster.h"

/* Starts a generation that is to take the place of the present one: events.risen or events.fell
 * follows. Returns 0, or -1 with *why set (static) and nothing done. */
int fleet_rise(struct fleet *fleet, const struct fleet_config *config, const char **why);

/* Changes the number of slots of the serving generation: fewer leave at once; more are a generation
 * that rises, as by fleet_rise, and joins. Returns 0, or -1 with *why and nothing done. */
int fleet_resize(struct fleet *fleet, unsigned processes, const char **why);

/* Lets all seats of the risen generation listen, before fleet_commit. Returns 0, or -1 with *why
 * (static), and none listens that did not before. */
int fleet_listen(struct fleet *fleet, const char **why);

/* The risen generation takes over, and the former one drains; or it joins the one that serves. */
void fleet_commit(struct fleet *fleet);

/* Closes what was bound for generations that were abandoned, once their last worker is dead and no
 * other one counts on it. */
void fleet_give_seats_back(struct fleet *fleet);

/* No hub will sit on the seats beyond those of that configuration. */
void fleet_retire_beyond(struct fleet *fleet, const struct fleet_config *config);

/* A slot has no permits any more, for generation_each. */
void fleet_revoke_slot(struct slot *slot, void *unused);

#endif
