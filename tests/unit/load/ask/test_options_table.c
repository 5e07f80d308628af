#include "tests/load/ask/options_table.h"

#include <criterion/criterion.h>

#include "master/start/table.h"
#include "tests/load/ask/load.h"

Test(options_table, every_row_is_sound)
{
	static struct load load;
	const struct table table = {.parts = {{options_table, &load}}, .prefix = "HUBBUB_LOAD_"};
	char error[256];

	cr_assert(table_is_sound(&table, error, sizeof error), "%s", error);
}
