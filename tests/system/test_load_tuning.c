/* hubbub-load: search and sweep find a rate and a shape, and say so where none can be found. */
#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/loader.h"

static struct loader loader;
static struct program server, program;

static void
clean(void)
{
	loader_clean(&loader);
	if (server.output > 0)
		program_end(&server);
	if (program.output > 0)
		program_end(&program);
}

TestSuite(load_tuning, .fini = clean, .timeout = 600);

/* Runs hubbub-load to its end, with arguments up to NULL; returns the exit code. */
static int __attribute__((sentinel)) run(char *first, ...)
{
	char *argv[32] = {program_path("hubbub-load"), first};
	int count = 2;
	va_list more;

	va_start(more, first);
	while ((argv[count] = va_arg(more, char *)) != NULL)
		count++;
	va_end(more);
	if (program.output > 0)
		program_end(&program);
	cr_assert(program_start(&program, argv, 0));
	/* A search takes dozens of short runs. */
	return program_wait(&program, 300);
}

static void
start(void)
{
	cr_assert(program_start_echo(&server, "-p", "1", "-t", "1", NULL), "%s", server.text);
}

static char *
target(void)
{
	static char text[32];

	snprintf(text, sizeof text, "127.0.0.1:%d", server.port);
	return text;
}

/* ---- limits ---- */

Test(load_tuning, a_run_says_what_check_would_before_it_bites)
{
	char *argv[] = {
		program_path("hubbub-load"), "-c500", "-p1", "-d200ms", "--warmup=0", NULL, NULL};
	const char *warning, *first;

	start();
	argv[0] = program_path("hubbub-load");
	argv[5] = target();
	cr_assert(program_start(&program, argv, 200));
	cr_assert_eq(program_wait(&program, 60), 4, "%s", program.text);
	warning = strstr(program.text, "warning: open files: 500 connections in each of 1 process");
	first = strstr(program.text, "hubbub-load 0.");
	cr_assert_not_null(warning, "%s", program.text);
	cr_assert_not_null(first, "%s", program.text);
	cr_assert_lt(warning, first, "%s", program.text);
	/* Without a limit that would bite, there is no advice. */
	cr_assert(run("-d200ms", "--warmup=0", "-c4", target(), NULL) >= 0);
	cr_assert_null(strstr(program.text, "warning"), "%s", program.text);
}

/* ---- search and sweep ---- */

Test(load_tuning, search_finds_a_rate_and_says_when_there_is_none)
{
	double rate;

	start();
	cr_assert_eq(loader_run(&loader, server.port, "search", "p50<1s,errors=0", "-d", "200ms",
			     "--warmup=0", NULL),
		0, "%s", loader.program.text);
	cr_assert_not_null(strstr(loader.program.text, "highest rate that keeps p50<1s,errors=0"));
	rate = loader_number(&loader, "rate");
	cr_assert_gt(rate, 1000);
	cr_assert_gt(json_array_size(json_object_get(loader.result, "tries")), 3);
	cr_assert_str_eq(json_string_value(json_object_get(loader.result, "answer")), "found");
	cr_assert_eq(run("--search=p50<1ns", "-d", "50ms", "--warmup=0", "--max-lag=10s", target(),
			     NULL),
		3, "%s", program.text);
	cr_assert_not_null(strstr(program.text, "no rate keeps p50<1ns"));
	/* A rate that the generator cannot measure is not an answer. */
	cr_assert_eq(
		run("--search=p50<1s", "-d", "50ms", "--warmup=0", "--max-lag=1ns", target(), NULL),
		4, "%s", program.text);
	cr_assert_not_null(strstr(program.text, "cannot tell"), "%s", program.text);
	program_end(&server);
	server.output = 0;
	cr_assert_eq(run("--search=p50<1s", "-d", "50ms", "--warmup=0", "--timeout=50ms", target(),
			     NULL),
		1, "%s", program.text);
}

Test(load_tuning, sweep_loads_each_shape_and_chooses_one)
{
	json_t *shapes, *shape;
	char page[FOLDER_SIZE + 80];
	size_t i;
	int code;

	cr_assert(folder_make(loader.folder));
	snprintf(page, sizeof page, "--html=%s", loader_file(&loader, "sweep.html"));

	/* Whether the two shapes can be told apart depends on the machine; the sweep must say
	 * whether. */
	code = run("sweep", "--grid=1x1,2x1", "--rounds=2", "-d", "300ms", "--warmup=100ms",
		"--max-lag=10s", page, "-o", loader_file(&loader, "sweep.json"), "--",
		"hubbub-echo", "--reply=verbatim", NULL);
	cr_assert(code == 0 || code == 4, "%d: %s", code, program.text);
	cr_assert_not_null(
		strstr(program.text, code == 0 ? "choose: --processes=" : "cannot tell: "), "%s",
		program.text);
	loader.result = json_load_file(loader_file(&loader, "sweep.json"), 0, NULL);
	cr_assert_eq(json_is_null(json_object_get(loader.result, "choice")), code == 4);
	shapes = json_object_get(loader.result, "shapes");
	cr_assert_eq(json_array_size(shapes), 2);
	json_array_foreach(shapes, i, shape)
	{
		cr_assert_gt(json_number_value(json_object_get(shape, "throughput")), 100);
		cr_assert_gt(json_number_value(json_object_get(shape, "cpu_per_message_s")), 0);
		cr_assert_gt(json_number_value(json_object_get(shape, "memory_bytes")), 100000);
		cr_assert_gt(json_number_value(json_object_get(shape, "p99_ns")), 0);
	}
	cr_assert_eq(access(loader_file(&loader, "sweep.html"), R_OK), 0);
	cr_assert_eq(run("sweep", "--grid=1x1", "--", "hubbub-echo", "--reply=nothing", NULL), 1);
	cr_assert_not_null(strstr(program.text, "does not start"), "%s", program.text);
	cr_assert_not_null(strstr(program.text, "'nothing'"), "%s", program.text);
	cr_assert_eq(run("sweep", "--grid=1x1", "--", "no-such-server", NULL), 1);
}

/* The generator sends late, however low the rate is. */
Test(load_tuning, a_sweep_that_cannot_measure_says_so)
{
	cr_assert_eq(run("sweep", "--grid=1x1,2x1", "--rounds=2", "-d", "200ms", "--warmup=0",
			     "--max-lag=1ns", "--", "hubbub-echo", "--reply=verbatim", NULL),
		4, "%s", program.text);
	cr_assert_not_null(
		strstr(program.text, "cannot tell: too few valid open loops"), "%s", program.text);
	cr_assert_not_null(strstr(program.text, "all shapes again, at "), "%s", program.text);
	cr_assert_not_null(
		strstr(program.text, "not valid: messages went out late"), "%s", program.text);
	cr_assert_null(strstr(program.text, "choose: "), "%s", program.text);
}
