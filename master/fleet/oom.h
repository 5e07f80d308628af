/* Whether the kernel's OOM killer killed a worker: read from the count of kills in this process's
 * control group, or, where the group has no such count, of the whole machine. */
#ifndef HUBBUB_FLEET_OOM_H
#define HUBBUB_FLEET_OOM_H

#define OOM_TEXT_SIZE 400

/* The files to read; tests give others. */
struct oom_places {
	const char *self;    /* /proc/self/cgroup */
	const char *mounts;  /* /sys/fs/cgroup */
	const char *machine; /* /proc/vmstat */
};

/* Records the present count of kills. given may be NULL for the kernel's own files; its strings
 * stay the caller's. */
void oom_begin(const struct oom_places *given);

/* Reads the count again. Called every second, so that an old kill explains no later death. */
void oom_look(void);

/* Explains a death by a SIGKILL that the master has not sent. If the count has grown lately, writes
 * ", probably by the kernel ...", to be appended to the log line, and uses up one kill; otherwise
 * writes "". */
void oom_explain(char text[static OOM_TEXT_SIZE]);

#endif
