/* The command `run`: a load, its display, its report and its files. What can be known to fail
 * beforehand fails before the load: outputs are opened, and the baseline is read. When one stream
 * goes to stdout for programs, the report for people goes to stderr. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/load/ask/complete.h"
#include "tests/load/ask/options.h"
#include "tests/load/count/hdr.h"
#include "tests/load/run/baseline.h"
#include "tests/load/run/commands.h"
#include "tests/load/run/compare.h"
#include "tests/load/run/preflight.h"
#include "tests/load/run/run.h"
#include "tests/load/run/search.h"
#include "tests/load/show/json.h"
#include "tests/load/show/outfile.h"
#include "tests/load/show/page.h"
#include "tests/load/show/panel.h"
#include "tests/load/show/plot.h"
#include "tests/load/show/text.h"

/* A watcher that passes everything on to the panel's watcher, and writes intervals to the stream of
 * JSON lines, if there is one. */
struct output {
	struct watcher watcher;
	FILE *stream;
};

static void
pass_connecting(const struct progress *progress, void *context)
{
	struct output *output = context;

	if (output->watcher.connecting != NULL)
		output->watcher.connecting(progress, output->watcher.context);
}

static void
pass_started(const struct progress *progress, void *context)
{
	struct output *output = context;

	if (output->watcher.started != NULL)
		output->watcher.started(progress, output->watcher.context);
}

static void
pass_frame(const struct progress *progress, void *context)
{
	struct output *output = context;

	output->watcher.frame(progress, output->watcher.context);
}

static void
pass_interval(const struct interval *interval, const struct progress *progress, void *context)
{
	struct output *output = context;

	if (output->watcher.interval != NULL)
		output->watcher.interval(interval, progress, output->watcher.context);
	if (output->stream != NULL) {
		json_t *line = json_interval(interval);

		json_dumpf(line, output->stream, JSON_COMPACT | JSON_REAL_PRECISION(12));
		fputc('\n', output->stream);
		fflush(output->stream);
		json_decref(line);
	}
}

/* Opens an output before the run, so that a wrong path is known at once. Returns false after a
 * message. */
static bool
open_file(const char *path, FILE **file)
{
	*file = path != NULL ? outfile_open(path) : NULL;
	return path == NULL || *file != NULL;
}

/* Where the report for people goes: to stderr if an output for programs goes to stdout. */
static FILE *
report_stream(const struct load *load)
{
	const char *const paths[] = {load->output, load->stream, load->hdr, load->html};

	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
		if (paths[i] != NULL && strcmp(paths[i], "-") == 0)
			return stderr;
	return stdout;
}

/* Writes the outputs other than the report. Returns false after a message if one failed. */
static bool
write_files(const struct load *load, const struct result *result, const json_t *json, FILE *hdr)
{
	bool is_well = true;

	if (load->output != NULL)
		is_well = json_write(json, load->output) && is_well;
	if (hdr != NULL) {
		hdr_write_spectrum(hdr, &result->total.response);
		is_well = outfile_end(hdr, load->hdr) && is_well;
	}
	if (load->html != NULL)
		is_well = page_write(load->html, json, NULL) && is_well;
	return is_well;
}

/* Compares the run with --baseline, then, if it passed, stores it as --save-baseline: in this
 * order, since both may be the same name. Returns the exit code. */
static int
use_baselines(const struct load *load, FILE *report, json_t *json, int code)
{
	int compared;

	if (load->baseline != NULL && (code == LOAD_DONE || code == LOAD_BREACHED)) {
		compared = baseline_compare(report, load->baseline, json, load->max_regress);
		if (code == LOAD_DONE)
			code = compared;
		if (compared == LOAD_BREACHED)
			json_object_set_new(json, "verdict", json_string("fail"));
		json_object_set_new(json, "exit_code", json_integer(code));
	}
	if (load->save_baseline == NULL)
		return code;
	if (code != LOAD_DONE) {
		fprintf(stderr,
			"hubbub-load: --save-baseline: not kept, because the run did not pass\n");
		return code;
	}
	if (!compare_is_possible(stderr, json, "this run")) {
		fprintf(stderr, "hubbub-load: --save-baseline: not kept\n");
		return LOAD_INVALID;
	}
	return baseline_save(load->save_baseline, json) ? code : LOAD_FAILED;
}

/* Reports the result and writes its files. Returns the exit code: a file that could not be written
 * fails a run that passed. */
static int
conclude(const struct load *load, const struct result *result, FILE *hdr)
{
	FILE *report = report_stream(load);
	json_t *json = json_result(result);
	int code;

	if (json == NULL) {
		fprintf(stderr, "hubbub-load: no memory for the result\n");
		return LOAD_FAILED;
	}
	text_report(report, result);
	code = use_baselines(load, report, json, result->code);
	if (report == stdout && !outfile_end(report, "-") && code == LOAD_DONE)
		code = LOAD_FAILED;
	if (!write_files(load, result, json, hdr) && code == LOAD_DONE)
		code = LOAD_FAILED;
	json_decref(json);
	return code;
}

/* Checks before the run that outputs can be written. Returns false after a message. */
static bool
check_outputs(const struct load *load)
{
	const char *const paths[] = {load->output, load->html};

	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
		int fd;

		if (paths[i] == NULL || strcmp(paths[i], "-") == 0)
			continue;
		/* Without O_TRUNC: an older file stays until there is a new result. */
		fd = open(paths[i], O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
		if (fd == -1) {
			fprintf(stderr, "hubbub-load: %s cannot be written: %s\n", paths[i],
				strerror(errno));
			return false;
		}
		close(fd);
	}
	return load->html == NULL || plot_is_possible();
}

int
command_run(int argc, char **argv)
{
	struct load load;
	struct panel panel;
	struct output output = {0};
	struct watcher watcher = {pass_connecting, pass_started, NULL, pass_interval, &output};
	struct result *result;
	FILE *hdr;
	int code;

	options_parse(&load, argc, argv, OPTIONS_RUN);
	complete_load(&load);
	if (load.search.count > 0)
		return search_run(&load);
	/* A baseline that is missing is reported before the run. */
	if (load.baseline != NULL && !baseline_exists(load.baseline))
		return LOAD_USAGE;
	if (!check_outputs(&load) || !open_file(load.stream, &output.stream) ||
		!open_file(load.hdr, &hdr))
		return LOAD_FAILED;
	if (!load.is_quiet)
		preflight_warn(&load);
	run_handle_signals();
	output.watcher = panel_watcher(&panel, &load);
	watcher.frame = output.watcher.frame != NULL ? pass_frame : NULL;
	result = run_load(&load, &watcher);
	panel_clear(&panel);
	if (result == NULL) {
		fprintf(stderr, "hubbub-load: no memory\n");
		return LOAD_FAILED;
	}
	code = conclude(&load, result, hdr);
	if (output.stream != NULL && !outfile_end(output.stream, load.stream) && code == LOAD_DONE)
		code = LOAD_FAILED;
	result_free(result);
	return code;
}
