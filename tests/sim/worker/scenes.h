/* The scenes of servers' lives. */
#ifndef HUBBUB_TESTS_SIM_WORKER_SCENES_H
#define HUBBUB_TESTS_SIM_WORKER_SCENES_H

#include "tests/sim/worker/life.h"

/* SCENE(name, options of the world) */
#define SCENES(SCENE)                                                                              \
	SCENE(usual, &plain)                                                                       \
	SCENE(idle, &plain)                                                                        \
	SCENE(crowd, &plain)                                                                       \
	SCENE(proxies, &plain)                                                                     \
	SCENE(timeouts, &plain)                                                                    \
	SCENE(slow, &plain)                                                                        \
	SCENE(limits, &plain)                                                                      \
	SCENE(moments, &plain)                                                                     \
	SCENE(pauses, &plain)                                                                      \
	SCENE(hangs, &plain)                                                                       \
	SCENE(orphans, &plain)                                                                     \
	SCENE(accidents, &plain)                                                                   \
	SCENE(files, &few_files)                                                                   \
	SCENE(trouble, &hub_sim_trouble)                                                           \
	SCENE(memory, &no_memory)                                                                  \
	SCENE(thousands, &large)                                                                   \
	SCENE(hundred, &plain)

#define SCENE_NUMBER(name, options) SCENE_##name,
enum scene_number { SCENES(SCENE_NUMBER) SCENE_MAX };
#undef SCENE_NUMBER

extern const struct scene scenes[SCENE_MAX + 1];

#endif
