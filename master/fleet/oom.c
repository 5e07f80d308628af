/* The kernel does not say which process it killed, only how often. So each increase of the count
 * makes one death by SIGKILL explainable, for 30 seconds. */
#include "master/fleet/oom.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hub/base/clock.h"
#include "master/start/cgroup.h"

/* A killed process first frees its memory, so its death is seen some time after the count has
 * grown. */
#define LATELY (30 * CLOCK_SECOND)
/* Control groups of version 1 write a number above this for no limit. */
#define UNLIMITED (UINT64_C(1) << 60)

static struct oom_places places = {"/proc/self/cgroup", "/sys/fs/cgroup", "/proc/vmstat"};
static uint64_t counted;     /* the kernel's count at the last look */
static uint64_t unexplained; /* kills that no death has used up yet */
static int64_t noticed;      /* clock at which the count grew last */

/* ---- the kernel's count ---- */

struct finding {
	bool is_v2;
	bool has_count;
	uint64_t count;
	uint64_t limit;  /* the smallest, of the group and those above; UNLIMITED without */
	char group[256]; /* the group with that limit; without one, the process's own */
};

/* Finds the line that begins with the word, and the number behind it. */
static bool
find_number(const char *text, const char *word, uint64_t *number)
{
	size_t length = strlen(word);

	for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, word, length) == 0 && line[length] == ' ') {
			*number = strtoull(line + length, NULL, 10);
			return true;
		}
	}
	return false;
}

/* Called for each directory of the process's control group, from its own upwards. */
static void
look_into(const char *directory, void *context)
{
	struct finding *finding = context;
	char text[4096];
	uint64_t limit;

	if (!finding->has_count) {
		cgroup_read(directory, finding->is_v2 ? "memory.events" : "memory.oom_control",
			text, sizeof text);
		if (!find_number(text, "oom_kill", &finding->count))
			return;
		finding->has_count = true;
		snprintf(finding->group, sizeof finding->group, "%s", directory);
	}
	/* Without a limit the file says "max", which reads as 0. */
	if (cgroup_read(directory, finding->is_v2 ? "memory.max" : "memory.limit_in_bytes", text,
		    sizeof text) == 0 ||
		(limit = strtoull(text, NULL, 10)) == 0 || limit >= finding->limit)
		return;
	finding->limit = limit;
	snprintf(finding->group, sizeof finding->group, "%s", directory);
}

static struct finding
find(void)
{
	struct finding finding = {.limit = UNLIMITED};
	char mount[256], text[8192];
	FILE *stream;

	snprintf(mount, sizeof mount, "%s/memory", places.mounts);
	cgroup_each(places.self, "memory", mount, look_into, &finding);
	if (finding.has_count)
		return finding;
	finding.is_v2 = true;
	cgroup_each(places.self, "", places.mounts, look_into, &finding);
	if (finding.has_count || (stream = fopen(places.machine, "re")) == NULL)
		return finding;
	text[fread(text, 1, sizeof text - 1, stream)] = '\0';
	fclose(stream);
	finding.has_count = find_number(text, "oom_kill", &finding.count);
	return finding;
}

/* ---- deaths ---- */

void
oom_begin(const struct oom_places *given)
{
	if (given != NULL)
		places = *given;
	counted = find().count;
	unexplained = 0;
}

static void
take_note(const struct finding *finding)
{
	int64_t now = clock_now();

	if (now - noticed > LATELY)
		unexplained = 0;
	/* The count cannot be read while the process has no fd left. */
	if (!finding->has_count)
		return;
	if (finding->count > counted) {
		unexplained += finding->count - counted;
		noticed = now;
	}
	counted = finding->count;
}

void
oom_look(void)
{
	struct finding finding = find();

	take_note(&finding);
}

void
oom_explain(char text[static OOM_TEXT_SIZE])
{
	struct finding finding = find();

	take_note(&finding);
	text[0] = '\0';
	if (unexplained == 0)
		return;
	unexplained--;
	if (finding.limit < UNLIMITED)
		snprintf(text, OOM_TEXT_SIZE,
			", probably by the kernel for lack of memory (the memory limit is %.4g "
			"MiB, of "
			"%s)",
			(double)finding.limit / (1 << 20), finding.group);
	else
		snprintf(text, OOM_TEXT_SIZE,
			", probably by the kernel for lack of memory (the machine's: there is no "
			"memory limit)");
}
