#include "hub/base/log.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "master/say/log_json.h"
#include "tests/support/folder.h"

static int saved, pipes[2];

/* What was written to stderr since capture, as a string. */
static void
capture(void)
{
	saved = dup(STDERR_FILENO);
	cr_assert_eq(pipe(pipes), 0);
	dup2(pipes[1], STDERR_FILENO);
}

static void
release(char *text, size_t size)
{
	ssize_t length;

	dup2(saved, STDERR_FILENO);
	close(saved);
	close(pipes[1]);
	length = read(pipes[0], text, size - 1);
	text[length > 0 ? length : 0] = '\0';
	close(pipes[0]);
}

Test(log, a_text_line_has_time_level_program_and_message)
{
	char text[512];

	log_setup("name", LOG_INFO, LOG_TEXT);
	capture();
	log_warning("%d of %s\nhere", 3, "them");
	release(text, sizeof text);
	cr_assert_not_null(strstr(text, "Z warning name["));
	cr_assert_not_null(strstr(text, "]: 3 of them here\n"));
}

Test(log, json_is_text_as_long_as_nobody_makes_it)
{
	char text[512];

	log_setup("name", LOG_INFO, LOG_JSON);
	capture();
	log_info("plain");
	release(text, sizeof text);
	cr_assert_not_null(strstr(text, "]: plain\n"));
}

Test(log, what_is_below_the_level_is_not_written)
{
	char text[64];

	log_setup("name", LOG_ERROR, LOG_TEXT);
	capture();
	log_info("nobody wants this");
	release(text, sizeof text);
	cr_assert_str_empty(text);
}

/* ---- text that is not this log's ---- */

Test(log, bare_text_is_the_messages_where_lines_are_json)
{
	char text[1024];

	log_setup("name", LOG_ERROR, LOG_JSON);
	capture();
	log_bare(LOG_INFO, "as it is\n", 9);
	log_json_by(log_json_line);
	log_bare(LOG_INFO, "one\n\"two\"\n", 10);
	release(text, sizeof text);
	cr_assert_eq(strncmp(text, "as it is\n{", 10), 0, "%s", text);
	cr_assert_not_null(strstr(text, "\"message\":\"one\"}\n{"), "%s", text);
	cr_assert_not_null(strstr(text, "\"message\":\"\\\"two\\\"\"}\n"), "%s", text);
}

Test(log, a_fault_is_said_without_memory)
{
	static char longer[2000];
	char text[2048];
	json_t *object;

	memset(longer, '"', sizeof longer - 1);
	log_setup("name", LOG_ERROR, LOG_JSON);
	capture();
	cr_expect(log_fault("check \"failed\""));
	log_json_by(log_json_line);
	cr_expect(log_fault("a \\ \"quote\"\n\xff"));
	cr_expect(log_fault(longer));
	release(text, sizeof text);
	cr_assert_eq(strncmp(text, "check \"failed\"\n{", 16), 0, "%s", text);
	object = json_loads(text + 15, JSON_DISABLE_EOF_CHECK, NULL);
	cr_assert_str_eq(json_string_value(json_object_get(object, "message")), "a \\ \"quote\"??");
	json_decref(object);
	object = json_loads(strrchr(text, '{'), 0, NULL);
	cr_assert_gt(strlen(json_string_value(json_object_get(object, "message"))), 200);
	json_decref(object);
}

/* ---- lines that are lost ---- */

/* From now on standard error takes so many bytes more, and then fails as a full disk does. */
static void
fill_up(char path[static FOLDER_SIZE + 16], size_t room)
{
	int fd = open(path, O_RDWR | O_CREAT | O_APPEND, 0600);

	signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &(struct rlimit){room, RLIM_INFINITY}), 0);
	saved = dup(STDERR_FILENO);
	dup2(fd, STDERR_FILENO);
	close(fd);
}

static void
make_room(void)
{
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY}), 0);
}

static void
read_back(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY);
	ssize_t length = read(fd, text, size - 1);

	close(fd);
	dup2(saved, STDERR_FILENO);
	close(saved);
	text[length > 0 ? length : 0] = '\0';
}

Test(log, lines_without_room_are_counted_and_said_to_be_lost)
{
	char folder[FOLDER_SIZE], path[FOLDER_SIZE + 16], text[4096];
	const char *lost, *after;
	uint64_t counter = 0;

	cr_assert(folder_make(folder));
	snprintf(path, sizeof path, "%s/log", folder);
	log_setup("name", LOG_INFO, LOG_TEXT);
	fill_up(path, 90);
	log_warning("this one fits");
	log_warning("of this one there is half, as the rest finds no room");
	log_warning("of this one there is nothing");
	/* What was lost before is counted, too. */
	log_count_lost(&counter);
	log_warning("of this one neither");
	make_room();
	log_warning("this one is whole");
	log_count_lost(NULL);
	read_back(path, text, sizeof text);
	folder_remove(folder);
	cr_assert_eq(counter, 3, "%lu", (unsigned long)counter);
	cr_assert_not_null(strstr(text, "]: this one fits\n"), "%s", text);
	lost = strstr(text, "]: 3 log lines are lost");
	after = strstr(text, "]: this one is whole\n");
	cr_assert(lost != NULL && after != NULL && lost < after, "%s", text);
	/* Half a line is ended before another begins. */
	while (lost > text && *lost != '\n')
		lost--;
	cr_assert_eq(strncmp(lost + 1, "20", 2), 0, "%s", text);
	cr_assert_null(strstr(text, "of this one there is nothing"));
}

Test(log, a_new_process_does_not_say_what_its_parent_lost)
{
	char folder[FOLDER_SIZE], path[FOLDER_SIZE + 16], text[4096];
	pid_t child;

	cr_assert(folder_make(folder));
	snprintf(path, sizeof path, "%s/log", folder);
	log_setup("name", LOG_INFO, LOG_TEXT);
	fill_up(path, 0);
	log_warning("this one is lost");
	make_room();
	child = fork();
	if (child == 0) {
		log_forget_lost();
		log_warning("this is the child's");
		_exit(0);
	}
	waitpid(child, NULL, 0);
	log_warning("this is the parent's");
	read_back(path, text, sizeof text);
	folder_remove(folder);
	cr_assert_not_null(strstr(text, "]: this is the child's\n"), "%s", text);
	cr_assert(strstr(text, "]: this is the child's\n") < strstr(text, "]: 1 log line is lost"),
		"%s", text);
	cr_assert_not_null(strstr(text, "]: this is the parent's\n"), "%s", text);
}

Test(log, lines_of_json_say_in_json_what_is_lost)
{
	char folder[FOLDER_SIZE], path[FOLDER_SIZE + 16], text[4096], *end;
	json_t *object;

	cr_assert(folder_make(folder));
	snprintf(path, sizeof path, "%s/log", folder);
	log_json_by(log_json_line);
	log_setup("name", LOG_INFO, LOG_JSON);
	fill_up(path, 0);
	log_warning("gone");
	make_room();
	log_warning("here");
	read_back(path, text, sizeof text);
	folder_remove(folder);
	end = strchr(text, '\n');
	cr_assert_not_null(end);
	*end = '\0';
	object = json_loads(text, 0, NULL);
	cr_assert_not_null(object, "%s", text);
	cr_assert_not_null(strstr(text, "1 log line is lost"), "%s", text);
	json_decref(object);
	log_setup("name", LOG_INFO, LOG_TEXT);
}

Test(log, a_line_that_nobody_reads_is_counted)
{
	uint64_t counter = 0;
	char text[64];
	int fd;

	log_setup("name", LOG_INFO, LOG_TEXT);
	log_count_lost(&counter);
	/* A pipe that nobody has open to read, and no descriptor at all. */
	signal(SIGPIPE, SIG_IGN);
	capture();
	fd = dup(pipes[0]);
	close(pipes[0]);
	close(fd);
	log_warning("to nobody");
	close(STDERR_FILENO);
	log_warning("to nowhere");
	pipes[0] = open("/dev/null", O_RDONLY);
	release(text, sizeof text);
	log_count_lost(NULL);
	cr_assert_eq(counter, 2, "%lu", (unsigned long)counter);
}

/* ---- the journal ---- */

/* As capture, of what stands for the journal's stream. */
static void
capture_as_journal(void)
{
	struct stat status;
	char text[64];

	saved = dup(STDERR_FILENO);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pipes), 0);
	dup2(pipes[1], STDERR_FILENO);
	cr_assert_eq(fstat(STDERR_FILENO, &status), 0);
	snprintf(text, sizeof text, "%llu:%llu", (unsigned long long)status.st_dev,
		(unsigned long long)status.st_ino);
	setenv("JOURNAL_STREAM", text, 1);
}

Test(log, in_the_journal_a_line_is_its_level_and_its_message)
{
	static const char bare[] = "one\ntwo\n";
	char text[512];

	capture_as_journal();
	log_setup("name", LOG_DEBUG, LOG_TEXT);
	log_error("%d\nhere", 3);
	log_warning("4");
	log_info("6");
	log_debug("7");
	log_bare(LOG_WARNING, bare, sizeof bare - 1);
	release(text, sizeof text);
	cr_assert_str_eq(text, "<3>3 here\n<4>4\n<6>6\n<7>7\n<4>one\n<4>two\n");
	log_setup("name", LOG_INFO, LOG_TEXT);
}

/* The journal knows the pid of the writer alone. */
Test(log, in_the_journal_a_line_of_another_process_says_its_pid)
{
	static char much[2 * LOG_LINE_MAX];
	struct log_entry entry = {
		.level = LOG_INFO, .pid = 4711, .message = "printed", .length = 7};
	char text[2 * LOG_LINE_MAX];

	capture_as_journal();
	log_setup("name", LOG_INFO, LOG_TEXT);
	log_put(&entry);
	memset(much, 'x', sizeof much);
	entry.message = much;
	entry.length = sizeof much;
	log_put(&entry);
	release(text, sizeof text);
	cr_assert_eq(strncmp(text, "<6>printed pid=4711\n<6>xxx", 26), 0, "%s", text);
	cr_assert_str_eq(text + strlen(text) - 13, "... pid=4711\n", "%s", text);
}

/* The variable stays when standard error is led elsewhere, also while the process runs. */
Test(log, beside_the_journal_lines_are_as_ever)
{
	static const char bare[] = "one\ntwo\n";
	char text[512], rest[512];
	int journal[2];

	capture_as_journal();
	log_setup("name", LOG_INFO, LOG_TEXT);
	log_info("here");
	memcpy(journal, pipes, sizeof journal);
	cr_assert_eq(pipe(pipes), 0);
	dup2(pipes[1], STDERR_FILENO);
	log_info("there");
	log_bare(LOG_WARNING, bare, sizeof bare - 1);
	release(text, sizeof text);
	cr_assert_not_null(strstr(text, "Z info    name["), "%s", text);
	cr_assert_not_null(strstr(text, "]: there\none\ntwo\n"), "%s", text);
	rest[recv(journal[0], rest, sizeof rest - 1, 0)] = '\0';
	cr_assert_str_eq(rest, "<6>here\n");
	close(journal[0]);
	close(journal[1]);
}

Test(log, in_the_journal_json_is_as_ever_behind_its_level)
{
	char text[512];
	json_t *object;

	capture_as_journal();
	log_json_by(log_json_line);
	log_setup("name", LOG_INFO, LOG_JSON);
	log_warning("here");
	release(text, sizeof text);
	cr_assert_eq(strncmp(text, "<4>", 3), 0, "%s", text);
	object = json_loads(text + 3, 0, NULL);
	cr_assert_str_eq(json_string_value(json_object_get(object, "message")), "here", "%s", text);
	json_decref(object);
	log_setup("name", LOG_INFO, LOG_TEXT);
}

Test(log, in_the_journal_what_was_lost_is_said_with_its_level)
{
	char text[512];

	capture_as_journal();
	log_setup("name", LOG_INFO, LOG_TEXT);
	close(STDERR_FILENO);
	log_info("lost");
	dup2(pipes[1], STDERR_FILENO);
	log_info("here");
	release(text, sizeof text);
	cr_assert_str_eq(text,
		"<4>1 log line is lost: nobody read, or there was no room (a full disk?)\n"
		"<6>here\n");
}
