#include "master/fleet/oom.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hub/base/clock.h"
#include "master/start/cgroup.h"

/* A process that is killed frees its memory before its death is seen. */
#define LATELY (30 * CLOCK_SECOND)
/* Limits of version 1 from here on are none. */
#define UNLIMITED (UINT64_C(1) << 60)

static struct oom_places places = {"/proc/self/cgroup", "/sys/fs/cgroup", "/proc/vmstat"};
static uint64_t counted; /* when it was looked last */
static uint64_t unexplained;
static int64_t noticed; /* clock */

/* ---- what the kernel says ---- */

struct finding {
	bool is_v2;
	bool has_count;
	uint64_t count;
	uint64_t limit;  /* the smallest, of the group and those above; UNLIMITED without */
	char group[256]; /* whose the limit is, or the process's own */
};

/* The number behind a word at the beginning of a line. */
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

/* Folders come from the process's own group upwards. */
static void
look_into(const char *folder, void *context)
{
	struct finding *finding = context;
	char text[4096];
	uint64_t limit;

	if (!finding->has_count) {
		cgroup_read(folder, finding->is_v2 ? "memory.events" : "memory.oom_control", text,
			sizeof text);
		if (!find_number(text, "oom_kill", &finding->count))
			return;
		finding->has_count = true;
		snprintf(finding->group, sizeof finding->group, "%s", folder);
	}
	/* "max" is no number. */
	if (cgroup_read(folder, finding->is_v2 ? "memory.max" : "memory.limit_in_bytes", text,
		    sizeof text) == 0 ||
		(limit = strtoull(text, NULL, 10)) == 0 || limit >= finding->limit)
		return;
	finding->limit = limit;
	snprintf(finding->group, sizeof finding->group, "%s", folder);
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
	/* Files may have run out. */
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
