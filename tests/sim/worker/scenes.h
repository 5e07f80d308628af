/* The scenes of servers' lives. */
#ifndef HUBBUB_TESTS_SIM_WORKER_SCENES_H
#define HUBBUB_TESTS_SIM_WORKER_SCENES_H

#include "tests/sim/worker/life.h"

/* SCENE(name, options of the world) */
#define SCENES(SCENE)                                                                              \
	SCENE(usual, NULL)                                                                         \
	SCENE(idle, NULL)                                                                          \
	SCENE(crowd, NULL)                                                                         \
	SCENE(proxies, NULL)                                                                       \
	SCENE(timeouts, NULL)                                                                      \
	SCENE(slow, NULL)                                                                          \
	SCENE(limits, NULL)                                                                        \
	SCENE(moments, NULL)                                                                       \
	SCENE(pauses, NULL)                                                                        \
	SCENE(files, &few_files)                                                                   \
	SCENE(trouble, &hub_sim_trouble)

#define SCENE_NUMBER(name, options) SCENE_##name,
enum scene_number { SCENES(SCENE_NUMBER) SCENE_MAX };
#undef SCENE_NUMBER

extern const struct scene scenes[SCENE_MAX + 1];

#endif
