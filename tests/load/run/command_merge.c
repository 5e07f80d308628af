/* The command `merge`: reads the results of several generators, and reports and writes the result
 * that they are together. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/load/run/commands.h"
#include "tests/load/run/merge.h"
#include "tests/load/show/json.h"
#include "tests/load/show/outfile.h"
#include "tests/load/show/text.h"

/* What the command line says. */
struct request_to_merge {
	char **paths;
	unsigned count;
	const char *output; /* NULL: none */
	struct load load;   /* gates to add */
};

static int
usage(FILE *stream, int code)
{
	fprintf(stream,
		"usage: hubbub-load merge [-o MERGED.json] [--fail-if EXPR]... A.json B.json...\n"
		"Merges results of generators that ran at the same time, each for its share of one "
		"load (see --start-at), and judges the whole anew: exit codes are those of a run, "
		"and "
		"4 if the results do not belong together.\n");
	return code;
}

/* Returns false after a message. */
static bool
take_gate(struct load *load, const char *text)
{
	char why[256] = "there are too many gates";

	if (load->fail_if_count < LOAD_GATES_MAX &&
		gate_read(text, &load->fail_if[load->fail_if_count], why, sizeof why)) {
		load->fail_if_count++;
		return true;
	}
	fprintf(stderr, "hubbub-load: --fail-if: '%s' is not a gate: %s\n", text, why);
	return false;
}

/* Returns the text behind "NAME=" or in the next argument; NULL if the argument is not this option.
 */
static const char *
value_of(const char *name, int argc, char **argv, int *at)
{
	size_t length = strlen(name);

	if (strncmp(argv[*at], name, length) != 0)
		return NULL;
	if (argv[*at][length] == '=')
		return argv[*at] + length + 1;
	return argv[*at][length] == '\0' && *at + 1 < argc ? argv[++*at] : NULL;
}

/* Returns LOAD_DONE; or the exit code, after a message or the help. */
static int
read_arguments(struct request_to_merge *request, int argc, char **argv)
{
	request->paths = argv;
	for (int i = 1; i < argc; i++) {
		const char *value;

		if ((value = value_of("--fail-if", argc, argv, &i)) != NULL) {
			if (!take_gate(&request->load, value))
				return LOAD_USAGE;
		} else if ((value = value_of("-o", argc, argv, &i)) != NULL ||
			   (value = value_of("--output", argc, argv, &i)) != NULL) {
			request->output = value;
		} else if (argv[i][0] == '-' && argv[i][1] != '\0') {
			return usage(stderr, LOAD_USAGE);
		} else {
			argv[request->count++] = argv[i];
		}
	}
	if (request->count < 2) {
		fprintf(stderr, "hubbub-load: merge needs at least two results, and has %u\n",
			request->count);
		return usage(stderr, LOAD_USAGE);
	}
	if (request->count > MERGE_PARTS_MAX) {
		fprintf(stderr,
			"hubbub-load: merge takes up to %d results at once; a merged one can be "
			"merged "
			"with others\n",
			MERGE_PARTS_MAX);
		return LOAD_USAGE;
	}
	return LOAD_DONE;
}

static int
report(const struct request_to_merge *request, const struct result *result)
{
	bool is_file = request->output != NULL,
	     is_stdout = is_file && strcmp(request->output, "-") == 0;
	FILE *stream = is_stdout ? stderr : stdout;
	json_t *json = json_result(result);
	int code = result->code;

	if (json == NULL) {
		fprintf(stderr, "hubbub-load: no memory for the result\n");
		return LOAD_FAILED;
	}
	fprintf(stream, "%u results merged\n", request->count);
	text_report(stream, result);
	if (is_file && !json_write(json, request->output) && code == LOAD_DONE)
		code = LOAD_FAILED;
	if (!is_stdout && !outfile_end(stdout, "-") && code == LOAD_DONE)
		code = LOAD_FAILED;
	json_decref(json);
	return code;
}

static int
merge(struct request_to_merge *request)
{
	static const double percentiles[] = {50, 90, 99, 99.9, 99.99};
	struct part *parts = calloc(request->count, sizeof *parts);
	struct result *result = NULL;
	int code = LOAD_FAILED;
	unsigned count = 0;

	while (parts != NULL && count < request->count &&
		part_read(&parts[count], request->paths[count]))
		count++;
	memcpy(request->load.percentiles, percentiles, sizeof percentiles);
	request->load.percentile_count = sizeof percentiles / sizeof percentiles[0];
	if (parts != NULL && count == request->count) {
		result = merge_parts(parts, count, &request->load);
		if (result != NULL)
			code = report(request, result);
	}
	if (parts == NULL || (result == NULL && count == request->count))
		fprintf(stderr, "hubbub-load: no memory\n");
	result_free(result);
	for (unsigned i = 0; parts != NULL && i < request->count; i++)
		part_free(&parts[i]);
	free(parts);
	return code;
}

int
command_merge(int argc, char **argv)
{
	static struct request_to_merge request;
	int code;

	request = (struct request_to_merge){0};
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "-h") == 0 || strcmp(argv[i], "--help") == 0)
			return usage(stdout, LOAD_DONE);
	code = read_arguments(&request, argc, argv);
	return code == LOAD_DONE ? merge(&request) : code;
}
