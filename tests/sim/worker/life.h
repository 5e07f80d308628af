/* The life of a server in the simulated world, as a scene draws it: it starts, clients come and
 * speak, the operator changes it, it drains, and nothing may be left. */
#ifndef HUBBUB_TESTS_SIM_WORKER_LIFE_H
#define HUBBUB_TESTS_SIM_WORKER_LIFE_H

#include "sim/sim.h"
#include "tests/sim/worker/clients.h"
#include "tests/sim/worker/server.h"

struct life {
	struct server_shape shape;
	struct clients_manner manner;
	unsigned reloads;      /* that must succeed */
	unsigned changes;      /* then: reloads and changes of the number of workers, at most */
	int64_t change_within; /* nanoseconds until the next one, at most; also below */
	int64_t drain_within;  /* after the last change */
	int64_t stop_within;   /* after the drain's begin; 0: no stop */
	unsigned kills;        /* of workers, at most, at any moment */
	unsigned stops;        /* SIGSTOP; until SIGCONT, stop_for passes, at most */
	int64_t stop_for;
	int64_t stand_still; /* the world's other parts go on without the server now and then */
	unsigned rotations;  /* of the log, at most */
	bool is_orphaned;    /* the master dies instead */
	unsigned quitting; /* one of so many stops is at once, without regard to clients; 0: none */
	bool is_impatient; /* the drain may come before the server is ready */
	bool is_troubled;  /* clients may be refused or cut */

	/* What has been. */
	struct clients_ends ends;
	const char *why; /* NULL: nothing was wrong */
};

struct scene {
	const char *name;
	void (*draw)(struct life *life); /* in the world, before the server's life */
	const struct hub_sim_options *options;
};

/* Lives it. Returns NULL; or what was wrong, and the world's report: until the next life. */
const char *life_run(const struct scene *scene, uint64_t seed, struct life *life);

#endif
