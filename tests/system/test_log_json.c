/* With --log-format=json each line on standard error is an object, whatever happens to a server and
 * whatever its clients send. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/client.h"
#include "tests/support/folder.h"
#include "tests/support/server.h"

#define PATIENCE 20 /* seconds */

static struct server server;
static char folder[FOLDER_SIZE], file[FOLDER_SIZE + 8];
static const char *wanted;
static int port;

static void
begin(void)
{
	cr_assert(folder_make(folder) && server_make_folder(&server));
	snprintf(file, sizeof file, "%s/log", folder);
}

static void
end(void)
{
	server_clean(&server);
	folder_remove(folder);
}

TestSuite(log_json, .init = begin, .fini = end, .timeout = 600);

/* Starts the service with these options, its log in the file. Returns as program_start. */
static bool
start(const char *options)
{
	static char command[512];
	char *argv[] = {"/bin/sh", "-c", command, NULL};

	snprintf(command, sizeof command,
		"exec %s --log-format=json --log-level=debug --listen=127.0.0.1:%d -p2 -t1 "
		"--control=%s %s 2>>%s",
		program_path("talker"), port, server.control, options, file);
	return program_start(&server.program, argv, 0);
}

/* The object of the log's line whose message has the text, of the last one if there are several;
 * NULL if there is none. Asserts that each line is an object. */
static json_t *
find(const char *message)
{
	FILE *lines = fopen(file, "re");
	json_t *found = NULL;
	char line[8192];

	while (lines != NULL && fgets(line, sizeof line, lines) != NULL) {
		json_t *object = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
		const char *text = json_string_value(json_object_get(object, "message"));

		cr_assert(text != NULL && json_object_get(object, "level") != NULL, "%s", line);
		if (strstr(text, message) != NULL) {
			json_decref(found);
			found = json_incref(object);
		}
		json_decref(object);
	}
	if (lines != NULL)
		fclose(lines);
	return found;
}

/* Looks at the end of the log alone. A line may be being written. */
static bool
is_there(void *unused)
{
	char text[1 << 16];
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	off_t all = fd != -1 ? lseek(fd, 0, SEEK_END) : -1;
	off_t from = all < (off_t)sizeof text ? 0 : all - (off_t)sizeof text + 1;
	ssize_t length = all != -1 ? pread(fd, text, sizeof text - 1, from) : -1;

	(void)unused;
	close(fd);
	text[length > 0 ? length : 0] = '\0';
	return strstr(text, wanted) != NULL;
}

static void
expect(const char *text)
{
	wanted = text;
	cr_expect(wait_until(is_there, NULL, PATIENCE), "%s", text);
}

/* Sends the service a line, which may kill it. */
static void
tell(const char *line, size_t length, const char *answer)
{
	int client = client_connect(port);

	cr_expect_eq(write(client, line, length), (ssize_t)length);
	cr_expect(client_is_answered(client, "", answer));
}

#define TELL(line) tell(line, sizeof line - 1, "done\n")

static const char *
text_of(json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

Test(log_json, each_line_is_an_object_whatever_happens)
{
	json_t *object;

	port = server_lasting_port();
	cr_assert(start(""));
	server.pid = server.program.pid;
	cr_assert_eq(server_ctl(&server, "wait", NULL, NULL, 0), 0);
	TELL("print \xff\x1b[2J\"}, {\"level\":\"error\"\t\\\n");
	TELL("complain <3>{\"level\":\"none\"}\n");
	TELL("log \xff\xc3\xa4 \"quoted\" level=none\\\x01\n");
	TELL("many 300\n");
	TELL("start ls /nowhere; yes | head -c 5000 | tr -d '\\n'\n");
	tell("end abort\n", 10, "");
	tell("end kill\n", 9, "");
	cr_expect_eq(server_ctl(&server, "reload", NULL, NULL, 0), 0);
	cr_expect_eq(server_ctl(&server, "scale", "2x2", NULL, 0), 0);
	kill(server.pid, SIGUSR1);
	expect("the log is reopened");
	cr_expect_eq(server_ctl(&server, "upgrade", NULL, NULL, 0), 0);
	tell("end exit\n", 9, "");
	expect("exited with code 3");
	cr_expect_eq(server_ctl(&server, "drain", NULL, NULL, 0), 0);
	expect("stopped: served");
	/* All of them, for an object that must be there. */
	json_decref(find("ready: 127.0.0.1:"));
	object = find("half of");
	cr_assert_not_null(object);
	cr_expect(json_is_integer(json_object_get(object, "worker")));
	json_decref(object);
	object = find("{\"level\":\"none\"}");
	cr_assert_not_null(object);
	cr_expect_str_eq(text_of(object, "level"), "error");
	json_decref(object);
	object = find("asked");
	cr_assert_not_null(object);
	cr_expect_str_eq(text_of(object, "level"), "info");
	cr_expect_str_eq(text_of(object, "coroutine"), "connection");
	cr_expect_str_eq(text_of(json_object_get(object, "fields"), "what"),
		"\\xff\xc3\xa4 \"quoted\" level=none\\\x01");
	json_decref(object);
}

Test(log_json, what_keeps_a_server_from_starting_is_an_object)
{
	json_t *object;

	cr_assert(start("--pidfile=/nowhere/pid"));
	cr_expect_eq(program_wait(&server.program, PATIENCE), 1);
	object = find("/nowhere/pid");
	cr_expect_not_null(object);
	json_decref(object);
}

/* Runs the service with three arguments at most; what it says is in the record of the program. */
static void
run(char *const arguments[static 3], int code)
{
	char *argv[] = {program_path("talker"), arguments[0], arguments[1], arguments[2], NULL};

	cr_assert(program_start(&server.program, argv, 0));
	cr_expect_eq(program_wait(&server.program, PATIENCE), code, "%s", server.program.text);
}

/* Asserts that the program has said one object alone, an error with the phrase. */
static void
expect_object(const char *phrase)
{
	const char *text = server.program.text;
	json_t *object = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

	cr_assert_not_null(object, "%s", text);
	cr_expect_str_eq(text_of(object, "level"), "error");
	cr_expect_not_null(strstr(text_of(object, "message"), phrase), "%s", text);
	json_decref(object);
	program_end(&server.program);
}

/* Makes an @FILE that asks for JSON. Returns the argument that names it. */
static char *
make_argument_file(void)
{
	static char argument[sizeof file + 1];
	FILE *stream = fopen(file, "we");

	cr_assert_not_null(stream);
	fputs("--log-format=json\n", stream);
	fclose(stream);
	snprintf(argument, sizeof argument, "@%s", file);
	return argument;
}

/* Wherever the option stands, and whatever else is wrong. */
Test(log_json, errors_of_arguments_are_objects)
{
	char *asking = make_argument_file();
	const struct {
		char *arguments[3];
		const char *phrase;
	} cases[] = {
		{{"--log-format=json", "--listen=nonsense"}, "nonsense"},
		{{"--log-format=json", "--nonsense"}, "there is no such option"},
		{{"--nonsense", "--log-format=json"}, "there is no such option"},
		{{"-Z", "--log-format", "json"}, "an option is unknown"},
		{{"--log-form=json", "--threads"}, "lacks its value"},
		{{"--processes=0", "--log-format", "json"}, "from 1 to 1024"},
		{{"@/no/such/file", "--log-format=json"}, "cannot read"},
		{{"--log-format=text", "--log-format=json", "9090"}, "not an option"},
		{{asking, "--listen=nonsense"}, "nonsense"},
		{{"--nonsense", asking}, "there is no such option"},
		{{asking, "-Z"}, "an option is unknown"},
		{{asking, "--threads"}, "lacks its value"},
		{{asking, "@/no/such/file"}, "cannot read"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		run(cases[i].arguments, 2);
		expect_object(cases[i].phrase);
	}
}

Test(log_json, errors_of_arguments_are_text_unless_json_is_asked_for)
{
	char *asking = make_argument_file();
	char *const cases[][3] = {
		{"--log-format=json", "--log-format=text", "--nonsense"},
		{"--nonsense", "--", "--log-format=json"},
		{"--nonsense", "--log-format=jsonl"},
		{"--nonsense", "--log-format"},
		{asking, "--log-format=text", "-Z"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		run(cases[i], 2);
		cr_expect_eq(
			strncmp(server.program.text, "talker: ", 8), 0, "%s", server.program.text);
		program_end(&server.program);
	}
}

/* A mistake in the program, found before any option is read. */
Test(log_json, a_fault_of_the_service_is_an_object)
{
	char *asking = make_argument_file();
	char *const cases[][3] = {{"--log-format=json"}, {asking}, {asking, "@/no/such/file"},
		{"--log-form", "json", "-Z"}};

	setenv("TALKER_NAME", "a/b", 1);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		run(cases[i], 2);
		expect_object("name");
	}
	run((char *[3]){"--check"}, 2);
	cr_expect_eq(strncmp(server.program.text, "talker: ", 8), 0, "%s", server.program.text);
	unsetenv("TALKER_NAME");
}

/* Whatever is printed, its disk is full. */
Test(log_json, output_that_is_lost_is_told_by_an_object)
{
	char *asking = make_argument_file(), command[512];
	const char *const cases[] = {"--log-format=json --version", "--version --log-format=json",
		"--log-format=json --help", "--log-format=json --usage",
		"--log-format=json --print-config", "--log-format=json --log-level=error --check",
		asking};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char *argv[] = {"/bin/sh", "-c", command, NULL};

		snprintf(command, sizeof command, "exec %s %s %s >/dev/full",
			program_path("talker"), cases[i], cases[i] == asking ? "--version" : "");
		cr_assert(program_start(&server.program, argv, 0));
		cr_expect_eq(program_wait(&server.program, PATIENCE), 1, "%s", cases[i]);
		expect_object("standard output cannot be written");
	}
}

/* Where the service's output is left alone, the server's own lines are objects. */
Test(log_json, the_ready_line_is_an_object)
{
	json_t *object;

	port = server_lasting_port();
	cr_assert(start("--capture-output=off"));
	server.pid = server.program.pid;
	cr_assert_eq(server_ctl(&server, "wait", NULL, NULL, 0), 0);
	object = find("ready: 127.0.0.1:");
	cr_assert_not_null(object);
	cr_expect_str_eq(text_of(object, "program"), "talker");
	cr_expect_eq(json_integer_value(json_object_get(object, "pid")), server.pid);
	json_decref(object);
}
