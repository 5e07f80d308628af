/* The command `report`: reads a stored result, and another one to compare with if --base names it,
 * and writes the page beside it. */
#include <stdio.h>
#include <string.h>

#include "tests/load/ask/load.h"
#include "tests/load/run/commands.h"
#include "tests/load/show/json_read.h"
#include "tests/load/show/page.h"

static int
usage(FILE *stream, int code)
{
	fprintf(stream, "usage: hubbub-load report RESULT.json [-o PAGE.html] [--base BASE.json]\n"
			"Writes a page with plots, beside the result unless -o says where.\n");
	return code;
}

int
command_report(int argc, char **argv)
{
	const char *input = NULL, *output = NULL, *base_path = NULL;
	char beside[4096];
	json_t *result, *base = NULL;
	int code = LOAD_FAILED;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-h") == 0 || strcmp(argv[i], "--help") == 0)
			return usage(stdout, LOAD_DONE);
		if (strcmp(argv[i], "-o") == 0 && i + 1 < argc)
			output = argv[++i];
		else if (strcmp(argv[i], "--base") == 0 && i + 1 < argc)
			base_path = argv[++i];
		else if ((argv[i][0] == '-' && argv[i][1] != '\0') || input != NULL)
			return usage(stderr, LOAD_USAGE);
		else
			input = argv[i];
	}
	if (input == NULL)
		return usage(stderr, LOAD_USAGE);
	if (output == NULL) {
		size_t length = strlen(input);

		if (length > 5 && strcmp(input + length - 5, ".json") == 0)
			length -= 5;
		snprintf(beside, sizeof beside, "%.*s.html", (int)length, input);
		output = strcmp(input, "-") == 0 ? "-" : beside;
	}
	result = json_read_result(input);
	if (base_path != NULL)
		base = json_read_result(base_path);
	if (result != NULL && (base_path == NULL || base != NULL) &&
		page_write(output, result, base))
		code = LOAD_DONE;
	if (code == LOAD_DONE && strcmp(output, "-") != 0)
		printf("wrote %s\n", output);
	json_decref(result);
	json_decref(base);
	return code;
}
