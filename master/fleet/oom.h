/* Whether the kernel kills for lack of memory: what it counts of that, in the control group of this
 * process, or for the whole machine where the group does not tell. */
#ifndef HUBBUB_FLEET_OOM_H
#define HUBBUB_FLEET_OOM_H

#define OOM_TEXT_SIZE 400

/* Where to look; NULL: where the kernel has it. */
struct oom_places {
	const char *self;    /* /proc/self/cgroup */
	const char *mounts;  /* /sys/fs/cgroup */
	const char *machine; /* /proc/vmstat */
};

/* Takes note of what was counted before. */
void oom_begin(const struct oom_places *places);

/* Looks whether it has killed anything since. Called now and then, so that what it killed long ago
 * explains no later death. */
void oom_look(void);

/* A process of this group has died by SIGKILL, which nobody here has sent. If the kernel has killed
 * one lately, says so in words that follow the death's, ", probably by ...", and that one is
 * explained; otherwise "". */
void oom_explain(char text[static OOM_TEXT_SIZE]);

#endif
