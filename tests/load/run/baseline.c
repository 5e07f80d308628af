/* A baseline is a result's JSON file, under the state directory of XDG or at a path. It is written
 * to a temporary name and renamed, so that a failed write leaves the previous baseline whole. */
#include "tests/load/run/baseline.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/load/ask/load.h"
#include "tests/load/run/compare.h"
#include "tests/load/show/json.h"
#include "tests/load/show/json_read.h"

/* Finds the directory of named baselines. Returns false after a message. */
static bool
find_directory(char directory[static PATH_MAX])
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");

	if (state != NULL && state[0] == '/')
		snprintf(directory, PATH_MAX, "%s/hubbub", state);
	else if (home != NULL && home[0] == '/')
		snprintf(directory, PATH_MAX, "%s/.local/state/hubbub", home);
	else {
		fprintf(stderr, "hubbub-load: neither HOME nor XDG_STATE_HOME says where baselines "
				"are; name a path with a '/'\n");
		return false;
	}
	return true;
}

static bool
find_path(const char *name, char path[static PATH_MAX])
{
	char directory[PATH_MAX];

	if (strchr(name, '/') != NULL)
		return snprintf(path, PATH_MAX, "%s", name) < PATH_MAX;
	return find_directory(directory) &&
	       snprintf(path, PATH_MAX, "%s/%s.json", directory, name) < PATH_MAX;
}

static void
make_directories(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0700);
		*slash = '/';
	}
}

bool
baseline_save(const char *name, const json_t *result)
{
	char path[PATH_MAX], temporary[PATH_MAX];

	if (!find_path(name, path))
		return false;
	make_directories(path);
	/* Write to a temporary name first: the previous baseline stays if this one cannot be
	 * written. */
	if (snprintf(temporary, sizeof temporary, "%s.new", path) >= (int)sizeof temporary ||
		!json_write(result, temporary))
		return false;
	if (rename(temporary, path) == 0)
		return true;
	fprintf(stderr, "hubbub-load: %s cannot be written: %s\n", path, strerror(errno));
	unlink(temporary);
	return false;
}

bool
baseline_exists(const char *name)
{
	char path[PATH_MAX];
	json_t *base;
	bool is_possible;

	if (!find_path(name, path))
		return false;
	if (access(path, R_OK) == 0) {
		base = json_read_result(path);
		if (base == NULL)
			return false;
		is_possible = compare_is_possible(stderr, base, name);
		json_decref(base);
		return is_possible;
	}
	fprintf(stderr,
		"hubbub-load: --baseline: there is no '%s' (%s: %s); make it with "
		"--save-baseline=%s\n",
		name, path, strerror(errno), name);
	return false;
}

int
baseline_compare(FILE *stream, const char *name, const json_t *result, double max_regress)
{
	char path[PATH_MAX];
	json_t *base;
	int code;

	if (!find_path(name, path) || (base = json_read_result(path)) == NULL)
		return LOAD_FAILED;
	code = compare_results(stream, base, result, name, "this run", max_regress);
	json_decref(base);
	return code;
}
