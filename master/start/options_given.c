/* Values as they were given, not as they were understood: so people find them again. */
#include "master/start/options_given.h"

#include <stdio.h>

#include "master/base/printable.h"
#include "master/start/row.h"

json_t *
options_given_json(const struct options *options)
{
	const struct table table = {.parts = {{options_rows, NULL}}};
	json_t *words = json_array();

	for (size_t i = 0; i < options->givens.count; i++) {
		const struct table_given *given = &options->givens.items[i];
		const struct hubbub_option *row = table_row(&table, given->row, NULL);
		char word[512];

		if (row == NULL || row->change == HUBBUB_ACTION)
			continue;
		snprintf(word, sizeof word, "--%s%s%s", row->name, given->text != NULL ? "=" : "",
			given->text != NULL ? given->text : "");
		json_array_append_new(words, printable_json(word));
	}
	return words;
}
