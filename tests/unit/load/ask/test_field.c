#include "tests/load/ask/field.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static struct load *load;

static void
begin(void)
{
	load = calloc(1, sizeof *load);
	cr_assert_not_null(load);
}

static void
end(void)
{
	free(load);
}

TestSuite(field, .init = begin, .fini = end);

Test(field, cpus_are_numbers_and_ranges)
{
	static const char *const wrong[] = {"", "x", "1-", "-1", "3-1", "1024", "4294967297",
		"1-4294967299", "18446744073709551617", " 1", "1-2-3", "0x1"};

	cr_assert_null(field_cpus("1,3,4-7", load));
	cr_assert_eq(load->cpu_count, 6);
	cr_assert_arr_eq(
		load->cpus, ((const unsigned[]){1, 3, 4, 5, 6, 7}), 6 * sizeof *load->cpus);
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		load->cpu_count = 0;
		cr_assert_not_null(field_cpus(wrong[i], load), "%s", wrong[i]);
	}
}

Test(field, a_grid_is_of_processes_and_threads)
{
	static const char *const wrong[] = {"", "1", "1x", "x1", "0x1", "1x0", "4294967298x1",
		"1x-4294967295", "1x1x1", "+1x1"};
	const struct load_shape *last = &load->grid[1];

	cr_assert_null(field_grid("1x1,2x4", load));
	cr_assert_eq(load->grid_count, 2);
	cr_assert_eq(last->processes, 2);
	cr_assert_eq(last->threads, 4);
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		cr_assert_not_null(field_grid(wrong[i], load), "%s", wrong[i]);
}

Test(field, protocols_are_names)
{
	static const char *const names[] = {"h2", "http/1.1"};
	static const char *const wrong[] = {
		"", ",", "h2,", ",h2", "h2,,h3", "h 2", "a\tb", "\xc3\xa9", "1,2,3,4,5,6,7,8,9"};

	cr_assert_null(field_alpn("h2,http/1.1", load));
	cr_assert_str_eq(load->alpn_text, "h2,http/1.1");
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		cr_assert_str_eq(load->alpn[i], names[i]);
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		cr_assert_not_null(field_alpn(wrong[i], load), "%s", wrong[i]);
}

Test(field, sources_are_addresses_networks_and_ranges)
{
	static const char *const wrong[] = {"", "127.0.0", "127.0.0.1/", "127.0.0.1/7",
		"127.0.0.1/33", "127.0.0.1/4294967328", "127.0.0.1/+8", "127.0.0.9-127.0.0.1"};

	cr_assert_null(field_sources("127.0.0.1,127.0.0.8/30,127.0.0.20-127.0.0.22", load));
	cr_assert_eq(load->source_count, 6);
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		cr_assert_not_null(field_sources(wrong[i], load), "%s", wrong[i]);
}

Test(field, so_many_connections_are_slow)
{
	cr_assert_null(field_slow("8@1k", load));
	cr_assert_eq(load->slow, 8);
	cr_assert_eq(load->slow_rate, 1000);
	cr_assert_not_null(field_slow("8.5@1k", load));
	cr_assert_not_null(field_slow("18446744073709551617@1k", load));
	cr_assert_not_null(field_slow("8", load));
}
