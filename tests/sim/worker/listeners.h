/* The listeners of a server in the simulated world. */
#ifndef HUBBUB_TESTS_SIM_WORKER_LISTENERS_H
#define HUBBUB_TESTS_SIM_WORKER_LISTENERS_H

#include "master/sockets/sockets.h"
#include "tests/sim/worker/server.h"

/* Binds the seats of the first generation. False if that is refused. */
bool listeners_open(struct sockets *sockets, const struct server_shape *shape);

#endif
