#include "tests/unit/master/scene.h"

#include <stdlib.h>
#include <unistd.h>

#include "master/server.h"

static const struct hubbub_service service = {.name = "scene", .version = "1.0"};

void
scene_begin(struct scene *scene)
{
	struct master *master = &scene->master;
	struct generation *generation = &scene->generation;

	*scene = (struct scene){0};
	master->service = &service;
	master->phase = MASTER_SERVING;
	master->counters = counters_new(&master->handed_on.counters);
	master->sockets.order = &scene->order;
	master->sockets.listening = master->sockets.seat_count = 1;
	master->fleet.sockets = &master->sockets;
	master->fleet.counters = master->counters;
	master->fleet.occupants = &scene->occupant;
	master->fleet.serving = generation;
	generation->fleet = &master->fleet;
	generation->number = 1;
	generation->config.processes = generation->config.threads = 1;
	generation->slots = &scene->slots;
	generation->count = 1;
	scene->slots = scene->occupant.slot = &scene->slot;
	scene->slot.generation = generation;
	scene->slot.hubs = &scene->hub;
	scene->slot.rows = counters_claim(master->counters, 0, 1, 1);
}

void
scene_end(struct scene *scene)
{
	counters_free(&scene->master.counters);
	close(scene->master.handed_on.counters);
}
