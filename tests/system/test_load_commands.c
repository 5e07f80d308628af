/* hubbub-load: its commands besides a run, and its usage. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/faulty.h"
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

TestSuite(load_commands, .fini = clean, .timeout = 600);

/* Runs hubbub-load to its end, with arguments up to NULL; returns the exit code. */
static int
run_all(char *const *arguments)
{
	char *argv[32] = {program_path("hubbub-load")};

	for (int i = 0; i < 30 && arguments[i] != NULL; i++)
		argv[i + 1] = arguments[i];
	if (program.output > 0)
		program_end(&program);
	cr_assert(program_start(&program, argv, 0));
	return program_wait(&program, 60);
}

static int __attribute__((sentinel)) run(char *first, ...)
{
	char *arguments[32] = {first};
	int count = 1;
	va_list more;

	va_start(more, first);
	while ((arguments[count] = va_arg(more, char *)) != NULL)
		count++;
	va_end(more);
	return run_all(arguments);
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

/* ---- usage ---- */

static const struct {
	char *arguments[5];
	const char *phrases[3];
} wrong_values[] = {
	{{"--rate=fast", ":1"}, {"--rate", "'fast'", "10k..200k"}},
	{{"--rate=0", ":1"}, {"--rate", "'0'", "above 0"}},
	{{"--rate=1k:2k", ":1"}, {"--rate", "'1k:2k'", "staircase"}},
	{{"--arrivals=often", ":1"}, {"--arrivals", "'often'", "poisson"}},
	{{"--connections=-1", ":1"}, {"--connections", "'-1'", "from 0"}},
	{{"--connections=1.5", ":1"}, {"--connections", "'1.5'", "whole"}},
	{{"--threads=0", ":1"}, {"--threads", "'0'", "from 1"}},
	{{"--size=0", ":1"}, {"--size", "'0'", "16-4096"}},
	{{"--size=@/nowhere", ":1"}, {"--size", "'@/nowhere'", "opened"}},
	{{"--duration=soon", ":1"}, {"--duration", "'soon'", "250ms"}},
	{{"--close=slam", ":1"}, {"--close", "'slam'", "fin, rst, half"}},
	{{"--verify=some", ":1"}, {"--verify", "'some'", "full, header, none"}},
	{{"--framing=xml", ":1"}, {"--framing", "'xml'", "raw, line, len32"}},
	{{"--framing=len32", "--size=3", ":1"}, {"--framing", "5 bytes", "--size"}},
	{{"--fail-if=p99", ":1"}, {"--fail-if", "'p99'", "comparison"}},
	{{"--fail-if=p99<0", ":1"}, {"--fail-if", "'p99<0'", "never true"}},
	{{"--abort-if=errors>=0", ":1"}, {"--abort-if", "'errors>=0'", "always true"}},
	{{"search", "p99>2ms", ":1"}, {"'p99>2ms'", "too high a rate breaks", "p99<2ms"}},
	{{"--fail-if=speed>1", ":1"}, {"--fail-if", "'speed'", "rate_ratio"}},
	{{"--slow=3", ":1"}, {"--slow", "'3'", "8@1k"}},
	{{"--slow=100@1k", ":1"}, {"--slow", "100", "64"}},
	{{"--source=here", ":1"}, {"--source", "'here'", "A.B.C.D"}},
	{{"--percentiles=101", ":1"}, {"--percentiles", "'101'", "100"}},
	{{"--cpus=x", ":1"}, {"--cpus", "'x'", "range"}},
	{{"--max-regress=5", "--baseline=x", ":1"}, {"--max-regress", "'5'", "5%"}},
	{{"--grid=2", ":1"}, {"--grid", "'2' is not processes x threads", "2x1\n"}},
	{{"serach"}, {"no command 'serach'", "did you mean search?", ""}},
	{{"--connctions=5", ":1"}, {"--connctions", "no such option", "--connections"}},
	{{"--count=10", "--rate=1..2", ":1"}, {"--count", "constant", "--duration"}},
	{{"--arrivals=poisson", ":1"}, {"--arrivals", "closed loop", "--rate"}},
	{{"--connections=0", ":1"}, {"--connections=0", "--idle", ""}},
	{{"127.0.0.1"}, {"'127.0.0.1'", "HOST:PORT", ""}},
	{{"127.0.0.1:0"}, {"port 0", "", ""}},
	{{NULL}, {"which server?", "HOST:PORT", "--help"}},
	{{"sweep"}, {"sweep", "--", "hubbub-echo"}},
	{{"search", ":1"}, {"':1'", "comparison", ""}},
	{{"-d1", "search", ":1"}, {"before all options", "search", ""}},
	{{"--fail-if=lag.p99>1ms", ":1"}, {"--fail-if", "lag", "--rate"}},
	{{"-ox", "--html=x", ":1"}, {"two outputs", "x", ""}},
	{{"-c0", "--idle=5", "-R5", ":1"}, {"--connections=0", "--rate", ""}},
	{{"--redial", ":1"}, {"--redial: needs --idle", "", ""}},
	{{"--roam=1", ":1"}, {"--roam: needs --idle", "", ""}},
	{{"--roam=1", "--idle=5", "--churn=3", ":1"}, {"--roam", "--churn", ""}},
	{{"-c1", ":1", ":2"}, {"targets", "--connections=1", ""}},
	{{"search", "p99<2ms"}, {"which server?", "", ""}},
	{{"search", "p99<2ms", "-R5", ":1"}, {"leave --rate out", "", ""}},
	{{"--churn=0", "--size=5", ":1"}, {"--churn=0", "--size", ""}},
	{{"--server-stats=x", ":1"}, {"--server-stats", "'x'", "HOST:PORT"}},
	{{"--source=127.0.0.9-127.0.0.1", ":1"}, {"--source", "low to high", ""}},
	{{"--json", "--hdr=-", ":1"}, {"stdout", "--hdr", ""}},
	{{"--rate=10:20/1@1ns", ":1"}, {"--rate", "1ms", ""}},
	{{"--verify=header", "--size=20", ":1"}, {"--verify=header", "--size", ""}},
	{{"compare", "one.json"}, {"usage", "BASE.json", ""}},
	{{"report"}, {"usage", "RESULT.json", ""}},
	{{"merge"}, {"at least two results, and has 0", "A.json B.json", ""}},
	{{"merge", "one.json"}, {"at least two results, and has 1", "A.json B.json", ""}},
	{{"--start-at=soon", ":1"}, {"--start-at", "'soon'", "2026-12-02T17:00:00Z"}},
	{{"--start-at=@1", ":1"}, {"--start-at", "'@1'", "s ago"}},
	{{"search", "p99<2ms", "--start-at=@9000000000", ":1"},
		{"--start-at", "within a year", ""}},
	{{"--baseline=never-saved", ":1"}, {"--baseline", "'never-saved'", "--save-baseline"}},
};

Test(load_commands, every_wrong_value_is_named_with_what_would_be_right)
{
	for (size_t i = 0; i < sizeof wrong_values / sizeof wrong_values[0]; i++) {
		char *const *arguments = wrong_values[i].arguments;

		cr_assert_eq(run_all(arguments), 2, "%s: %s", *arguments, program.text);
		for (int k = 0; k < 3; k++)
			cr_assert_not_null(strstr(program.text, wrong_values[i].phrases[k]),
				"%s: %s", *arguments, program.text);
	}
}

Test(load_commands, help_and_version_go_to_stdout_within_80_columns)
{
	static char *const helps[] = {"--help", "-h", "-?", "--help-all"};

	for (int i = 0; i < 4; i++) {
		cr_assert_eq(run(helps[i], NULL), 0);
		cr_assert_not_null(strstr(program.text, "--rate"));
		cr_assert_not_null(strstr(program.text, "Exit codes"));
		for (char *line = strtok(program.text, "\n"); line != NULL;
			line = strtok(NULL, "\n"))
			cr_assert_leq(strlen(line), 80, "%s", line);
	}
	cr_assert_eq(run("--version", NULL), 0);
	cr_assert_not_null(strstr(program.text, "hubbub-load 0"));
}

Test(load_commands, the_configuration_can_be_printed_and_used_again)
{
	cr_assert_eq(
		run("-R", "5k", "-c", "7", "-s", "16-64", "--print-config", "127.0.0.1:1", NULL),
		0);
	cr_assert_not_null(strstr(program.text, "--rate=5k"));
	cr_assert_not_null(strstr(program.text, "--connections=7"));
	cr_assert_not_null(strstr(program.text, "--size=16-64"));
	cr_assert_not_null(strstr(program.text, "127.0.0.1:1"));
	cr_assert_not_null(strstr(program.text, "# --verify=full (default)\n"), "%s", program.text);
	cr_assert_eq(run("-n9", "--print-config", "127.0.0.1:1", NULL), 0);
	cr_assert_not_null(strstr(program.text, "# --duration (default: none with a count)\n"),
		"%s", program.text);
	cr_assert_eq(run("search", "127.0.0.1:1", "--search=p99<2ms", "--print-config", NULL), 0,
		"%s", program.text);
	cr_assert_not_null(strstr(program.text, "127.0.0.1:1\n"), "%s", program.text);
}

Test(load_commands, a_load_is_also_made_of_a_file_and_the_environment)
{
	char path[] = "/tmp/hubbub-load-XXXXXX", at[64];
	int fd = mkstemp(path);

	setenv("HUBBUB_LOAD_SIZE", "100", 1);
	setenv("HUBBUB_LOAD_SEED", "7", 1);
	cr_assert_eq(run("--print-config", "-R5k", "--fail-if=errors>1", "--fail-if=p99>1s", "-n9",
			     "--seed=8", "127.0.0.1:1", NULL),
		0, "%s", program.text);
	cr_assert_eq(write(fd, program.text, strlen(program.text)), (ssize_t)strlen(program.text));
	close(fd);
	unsetenv("HUBBUB_LOAD_SIZE");
	unsetenv("HUBBUB_LOAD_SEED");
	snprintf(at, sizeof at, "@%s", path);
	cr_assert_eq(run(at, "--print-config", NULL), 0, "%s", program.text);
	unlink(path);
	cr_assert_not_null(strstr(program.text, "\n--size=100\n"), "%s", program.text);
	cr_assert_not_null(strstr(program.text, "\n--rate=5k\n"), "%s", program.text);
	cr_assert_not_null(strstr(program.text, "\n--fail-if=errors>1\n"), "%s", program.text);
	cr_assert_not_null(strstr(program.text, "\n--fail-if=p99>1s\n"), "%s", program.text);
	cr_assert_not_null(strstr(program.text, "\n--seed=8\n"), "%s", program.text);
	cr_assert_not_null(strstr(program.text, "\n--count=9\n"), "%s", program.text);
	setenv("HUBBUB_LOAD_SIZE", "big", 1);
	cr_assert_eq(run("127.0.0.1:1", NULL), 2);
	cr_assert_not_null(strstr(program.text, "HUBBUB_LOAD_SIZE: 'big'"), "%s", program.text);
}

/* ---- check ---- */

Test(load_commands, check_says_whether_a_load_can_run)
{
	start();
	cr_assert_eq(run("check", target(), NULL), 0, "%s", program.text);
	cr_assert_not_null(strstr(program.text, "one message echoed and verified"));
	cr_assert_not_null(strstr(program.text, "\nready"));
	cr_assert_eq(run("check", "-c", "4000000", "-p", "1", target(), NULL), 1);
	cr_assert_not_null(strstr(program.text, "ulimit -n"), "%s", program.text);
	cr_assert_eq(strstr(program.text, "sysctl -w fs.nr_open=4000064 (it is ") != NULL,
		system("[ \"$(cat /proc/sys/fs/nr_open)\" -lt 4000064 ]") == 0, "%s", program.text);
	cr_assert_not_null(strstr(program.text, "not ready"));
	program_end(&server);
	server.output = -1;
	cr_assert_eq(run("check", target(), NULL), 1);
	cr_assert_not_null(strstr(program.text, "Connection refused; does the server run"), "%s",
		program.text);
	cr_assert_eq(run(target(), NULL), 1);
	cr_assert_not_null(strstr(program.text, "Connection refused; does the server run"), "%s",
		program.text);
}

/* ---- results ---- */

Test(load_commands, a_result_becomes_a_page_that_loads_nothing_from_elsewhere)
{
	char *page, command[512];
	size_t length;
	FILE *file;

	start();
	cr_assert_eq(loader_run(&loader, server.port, "-q", "-R", "500..2000", "-d", "1s", "-i",
			     "100ms", NULL),
		0, "%s", loader.program.text);
	cr_assert_eq(
		run("report", loader_file(&loader, "result.json"), NULL), 0, "%s", program.text);
	file = fopen(loader_file(&loader, "result.html"), "r");
	cr_assert_not_null(file);
	page = calloc(1, 1 << 20);
	length = fread(page, 1, (1 << 20) - 1, file);
	fclose(file);
	cr_assert_gt(length, 10000);
	cr_assert_lt(length, 300000);
	cr_assert_not_null(strstr(page, "Latency spectrum"));
	cr_assert_not_null(strstr(page, "Throughput against p99"));
	cr_assert_not_null(strstr(page, "</svg>"));
	cr_assert_null(strstr(page, "could not draw"));
	cr_assert_null(strstr(page, "src="));
	cr_assert_null(strstr(page, "<script"));
	cr_assert_null(strstr(page, "nan"));
	free(page);
	cr_assert_eq(run("report", "/nowhere.json", NULL), 1);
	cr_assert_not_null(strstr(program.text, "/nowhere.json cannot be read: No such file"), "%s",
		program.text);
	cr_assert_eq(run("report", "/tmp", NULL), 1);
	cr_assert_not_null(
		strstr(program.text, "/tmp cannot be read: Is a directory"), "%s", program.text);
	snprintf(command, sizeof command, "echo '{}' >%s", loader_file(&loader, "other.json"));
	cr_assert_eq(system(command), 0);
	cr_assert_eq(run("report", loader_file(&loader, "other.json"), NULL), 1);
	cr_assert_not_null(strstr(program.text, "not a result"), "%s", program.text);
}

/* Before the connections are opened, and while they are open. */
Test(load_commands, a_signal_ends_the_wait_for_the_start)
{
	static char *const timeouts[] = {"--connect-timeout=1s", "--connect-timeout=200s"};
	char at[64];

	start();
	snprintf(at, sizeof at, "--start-at=@%lld", (long long)time(NULL) + 100);
	for (size_t i = 0; i < 2; i++) {
		cr_assert(loader_start(&loader, server.port, at, timeouts[i], NULL));
		cr_assert(program_expect(&loader.program,
			i == 0 ? "the load begins in" : "64 connections (64 open)", 60));
		kill(loader.program.pid, SIGINT);
		cr_assert_eq(loader_wait(&loader, 60), 130, "%s", loader.program.text);
		cr_assert_str_eq(loader_verdict(&loader), "interrupted");
	}
}

Test(load_commands, results_are_compared_and_baselines_kept)
{
	char base[FOLDER_SIZE + 64], copy[2 * (FOLDER_SIZE + 64)];
	static struct faulty slow = {.kind = FAULTY_STALL, .size = 128, .period = 1, .pause = 0.98};

	start();
	cr_assert_eq(loader_run(&loader, server.port, "-q", "-R", "500", "-d", "200ms",
			     "--warmup=0", "--repeat=5", "--cooldown=0", NULL),
		0, "%s", loader.program.text);
	snprintf(base, sizeof base, "%s", loader_file(&loader, "base.json"));
	snprintf(copy, sizeof copy, "--save-baseline=%s", base);
	cr_assert_eq(loader_run(&loader, server.port, "-q", "-R", "500", "-d", "200ms",
			     "--warmup=0", "--repeat=5", "--cooldown=0", copy, NULL),
		0, "%s", loader.program.text);
	cr_assert_eq(run("compare", base, base, NULL), 0, "%s", program.text);
	/* How far the runs are apart depends on the machine. */
	cr_assert(strstr(program.text, "verdict: unchanged") != NULL ||
			  strstr(program.text, "verdict: uncertain") != NULL,
		"%s", program.text);
	cr_assert_not_null(strstr(program.text, "5 and 5 runs"), "%s", program.text);
	/* A baseline of one run is too small. */
	cr_assert_eq(loader_run(&loader, server.port, "-q", "-R", "500", "-d", "200ms",
			     "--warmup=0", NULL),
		0);
	cr_assert_eq(run("compare", base, loader_file(&loader, "result.json"), NULL), 4, "%s",
		program.text);
	cr_assert_not_null(strstr(program.text, "--repeat=5"));
	/* If messages take a thousand times as long, that is a regression, also on a machine where
	 * some runs take a hundred times as long as others. */
	snprintf(copy, sizeof copy, "--baseline=%s", base);
	cr_assert(faulty_start(&slow));
	cr_assert_eq(loader_run(&loader, slow.port, "-q", "-R", "500", "-d", "200ms", "--warmup=0",
			     "--repeat=5", "--cooldown=0", "-s", "128", "--timeout=20s",
			     "--max-regress=50%", copy, NULL),
		3, "%s", loader.program.text);
	faulty_stop(&slow);
	cr_assert_not_null(strstr(loader.program.text, "REGRESSED"), "%s", loader.program.text);
	cr_assert_not_null(
		strstr(loader.program.text, "the loads differ: size"), "%s", loader.program.text);
}

/* The run knows beforehand by what it will be compared. */
Test(load_commands, a_short_run_has_intervals_for_a_baseline)
{
	char base[FOLDER_SIZE + 64], save[FOLDER_SIZE + 80], with[FOLDER_SIZE + 80];
	int code;

	start();
	cr_assert_eq(loader_run(&loader, server.port, "-q", "-d", "100ms", "--warmup=0", NULL), 0,
		"%s", loader.program.text);
	snprintf(base, sizeof base, "%s", loader_file(&loader, "base.json"));
	snprintf(save, sizeof save, "--save-baseline=%s", base);
	snprintf(with, sizeof with, "--baseline=%s", base);
	/* The result of a run that was not for a baseline has one interval. */
	cr_assert_eq(rename(loader_file(&loader, "result.json"), base), 0);
	cr_assert_eq(run(with, "-d300ms", "--warmup=0", target(), NULL), 2, "%s", program.text);
	cr_assert_not_null(strstr(program.text, "fewer than 5 runs"), "%s", program.text);
	cr_assert_null(strstr(program.text, "Result:"), "%s", program.text);
	cr_assert_eq(run(save, "-d2s", "--warmup=0", "--max-lag=10s", target(), NULL), 0, "%s",
		program.text);
	code = run(with, "-d2s", "--warmup=0", "--max-lag=10s", target(), NULL);
	cr_assert(code == 0 || code == 3, "%d: %s", code, program.text);
	cr_assert_not_null(strstr(program.text, "\nverdict: "), "%s", program.text);
	cr_assert_eq(run(with, "-d300ms", "-i100ms", target(), NULL), 2, "%s", program.text);
	cr_assert_not_null(strstr(program.text, "--repeat=5"), "%s", program.text);
}
