/* A server as its files tell each other of it, without a process: a master that serves with one
 * worker of one hub, which sits on the only seat. */
#ifndef HUBBUB_TESTS_UNIT_MASTER_SCENE_H
#define HUBBUB_TESTS_UNIT_MASTER_SCENE_H

#include "master/master.h"
#include "worker/counters.h"

struct scene {
	struct master master;
	struct generation generation;
	struct slot slot, *slots;
	struct slot_hub hub;
	struct occupant occupant;
	unsigned order;
};

/* What scene_begin makes is at an address of its own: a scene is not moved. */
void scene_begin(struct scene *scene);
void scene_end(struct scene *scene);

#endif
