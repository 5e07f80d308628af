/* The state of a hostile server, for libFuzzer: hubbub-ctl prints it without failing. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "hub/base/check.h"
#include "master/ctl/plain.h"
#include "master/ctl/view.h"
#include "tests/fuzz/mutate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static json_t *
read_right(void)
{
	static json_t *right;

	if (right == NULL)
		right = json_load_file(FUZZ_FOLDER "/status.json", 0, NULL);
	CHECK(right != NULL);
	return right;
}

/* Shows the hubs as top does, which has an earlier state beside this one. */
static void
view_hubs(const json_t *state, const json_t *before)
{
	const json_t *workers = json_object_get(state, "workers");
	const json_t *others = json_object_get(before, "workers");
	char line[128];

	for (size_t i = 0; i < json_array_size(workers); i++) {
		const json_t *worker = json_array_get(workers, i);
		const json_t *hubs = json_object_get(worker, "hubs");
		const json_t *other = json_object_get(json_array_get(others, i), "hubs");

		for (size_t k = 0; k < json_array_size(hubs); k++) {
			view_hub(line, sizeof line, worker, json_array_get(hubs, k),
				json_array_get(other, k), 1);
			plain(line);
		}
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes bytes = {data, size};
	json_t *state = mutate_json(read_right(), &bytes);
	char *text = NULL;
	size_t length;
	FILE *stream = open_memstream(&text, &length);

	CHECK(stream != NULL);
	view_print(stream, state);
	fclose(stream);
	plain(text);
	free(text);
	view_hubs(state, read_right());
	view_hubs(read_right(), state);
	json_decref(state);
	return 0;
}
