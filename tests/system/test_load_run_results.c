/* What runs of hubbub-load leave: exit codes by gates, streams, files, results of a schema. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/loader.h"
#include "tests/support/server.h"

static struct loader loader;
static struct program server;

static void
start(void)
{
	cr_assert(program_start_echo(&server, "-p", "1", "-t", "2", NULL), "%s", server.text);
}

static void
clean(void)
{
	loader_clean(&loader);
	if (server.output > 0)
		program_end(&server);
}

TestSuite(load_run_results, .init = start, .fini = clean, .timeout = 600);

Test(load_run_results, gates_decide_the_exit_code)
{
	cr_assert_eq(
		loader_run(&loader, server.port, "-q", "-d", "300ms", "--fail-if", "p99>1ns", NULL),
		3);
	cr_assert_not_null(
		strstr(loader.program.text, "p99>1ns BREACHED"), "%s", loader.program.text);
	cr_assert_eq(loader_run(&loader, server.port, "-q", "-d", "300ms", "--fail-if", "p99>1h",
			     "--fail-if", "mps<1", NULL),
		0);
	cr_assert_not_null(strstr(loader.program.text, "p99>1h ok"), "%s", loader.program.text);
	cr_assert_eq(loader_run(&loader, server.port, "-q", "-d", "300ms", "--fail-if", "p99>1h",
			     "--fail-if", "open<64", NULL),
		0, "%s", loader.program.text);
	/* The gates given, and the gate that every run has. */
	cr_assert_eq(json_array_size(json_object_get(loader.result, "gates")), 3);
	cr_assert_eq(loader_run(&loader, server.port, "-d", "60s", "-i", "100ms", "--warmup=0",
			     "--abort-if", "mps>1", NULL),
		3);
	cr_assert_lt(loader_number(&loader, "duration_s"), 5);
	cr_assert_not_null(
		strstr(loader.program.text, "aborted: mps>1"), "%s", loader.program.text);
}

Test(load_run_results, runs_are_repeated_and_told_apart)
{
	cr_assert_eq(loader_run(&loader, server.port, "-q", "-n", "500", "--repeat=3",
			     "--cooldown=10ms", NULL),
		0, "%s", loader.program.text);
	cr_assert_eq(json_array_size(json_object_get(loader.result, "runs")), 3);
	cr_assert_eq(loader_number(&loader, "load.messages"), 1500);
	cr_assert_eq(loader_number(&loader, "connections.asked"), 192);
	cr_assert_eq(loader_number(&loader, "connections.opened"), 192);
}

Test(load_run_results, the_stream_is_a_line_of_json_for_each_interval)
{
	char line[4096];
	int lines = 0;
	FILE *file;
	double before = 0;

	cr_assert_eq(loader_run(&loader, server.port, "-q", "-d", "1s", "--warmup=0", "-i", "100ms",
			     "--stream", "/dev/stdout", NULL),
		0, "%s", loader.program.text);
	file = fmemopen(loader.program.text, strlen(loader.program.text), "r");
	while (fgets(line, sizeof line, file) != NULL) {
		json_t *interval;

		if (line[0] != '{')
			continue;
		interval = json_loads(line, 0, NULL);
		cr_assert_not_null(interval, "%s", line);
		cr_assert_gt(json_number_value(json_object_get(interval, "t")), before);
		before = json_number_value(json_object_get(interval, "t"));
		json_decref(interval);
		lines++;
	}
	fclose(file);
	/* A generator without a CPU is late, and then counts for longer. */
	cr_assert_geq(lines, 3);
	cr_assert_leq(lines, 10);
	cr_assert_eq(json_array_size(json_object_get(loader.result, "series")), (size_t)lines);
}

Test(load_run_results, a_file_that_cannot_be_written_is_a_failure_and_named)
{
	cr_assert_eq(loader_run(&loader, server.port, "-q", "-n", "10", "--hdr", "/nowhere/x.hgrm",
			     NULL),
		1);
	cr_assert_not_null(strstr(loader.program.text, "/nowhere/x.hgrm"));
	cr_assert_eq(loader_run(&loader, server.port, "-q", "-n", "10", "--hdr", "/dev/full", NULL),
		1, "%s", loader.program.text);
	cr_assert_not_null(strstr(loader.program.text, "/dev/full cannot be written"), "%s",
		loader.program.text);
}

/* Runs a load, and merges its result with itself. */
static void
merge_with_itself(void)
{
	char command[1024];

	loader_run(&loader, server.port, "-q", "-R", "1k", "-d", "300ms", "--fail-if=p99>5s", NULL);
	snprintf(command, sizeof command, "%s merge -o - %s %s >%s.new 2>/dev/null; mv %s.new %s",
		program_path("hubbub-load"), loader_file(&loader, "result.json"), loader.path,
		loader.path, loader.path, loader.path);
	cr_assert_eq(system(command), 0);
}

/* Debian's python3-jsonschema judges, which is independent of this project. */
Test(load_run_results, results_of_every_kind_follow_the_schema)
{
	char command[512];

	for (int i = 0; i < 6; i++) {
		if (i == 0)
			loader_run(
				&loader, server.port, "-q", "-n", "100", "--fail-if=p99>1ns", NULL);
		else if (i == 1)
			loader_run(&loader, server.port, "-q", "-R", "1k", "-d", "300ms",
				"--server-stats=127.0.0.1:1", NULL);
		else if (i == 2)
			loader_run(&loader, server_lasting_port(), "-q", NULL);
		else if (i == 3)
			loader_run(
				&loader, server.port, "-q", "--idle=3", "-c0", "-d", "100ms", NULL);
		else if (i == 4)
			loader_run(&loader, server.port, "-q", "-n", "100", "--reply=line",
				"--expect=A", "--request=A\n", "--request=B\n", "--expect=B", NULL);
		else
			merge_with_itself();
		cr_assert_not_null(loader.result, "%d: %s", i, loader.program.text);
		snprintf(command, sizeof command,
			"/usr/bin/python3 -W ignore -m jsonschema -i %s "
			"%s/tests/load/show/result.schema.json",
			loader_file(&loader, "result.json"), HUBBUB_SOURCE_DIR);
		cr_assert_eq(system(command), 0, "result %d", i);
	}
}
