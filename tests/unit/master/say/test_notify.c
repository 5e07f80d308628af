#include "master/say/notify.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/support/complaint.h"
#include "tests/support/folder.h"
#include "tests/support/in_hub.h"

static char folder[FOLDER_SIZE], name[108];
static int manager = -1;

/* A service manager that can be told things at name, whose @ stands for what is no file. */
static void
listen_at(const char *text)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t length = strlen(text);

	memmove(name, text, length + 1);
	memcpy(address.sun_path, text, length);
	if (text[0] == '@')
		address.sun_path[0] = '\0';
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	cr_assert_eq(bind(manager, (struct sockaddr *)&address,
			     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)),
		0);
	setenv("NOTIFY_SOCKET", name, 1);
}

static void
start(void)
{
	char path[FOLDER_SIZE + 8];

	cr_assert(folder_make(folder));
	snprintf(path, sizeof path, "%s/notify", folder);
	listen_at(path);
}

static void
end(void)
{
	folder_remove(folder);
}

TestSuite(notify, .init = start, .fini = end, .timeout = 20);

/* What the manager was told next; "" for nothing. */
static const char *
told(void)
{
	static char text[1024];
	ssize_t length = recv(manager, text, sizeof text - 1, 0);

	text[length > 0 ? length : 0] = '\0';
	return text;
}

Test(notify, words_come_whole_and_in_order)
{
	notify_init();
	notify_send("READY=1\nSTATUS=%s", "serving");
	notify_send("MAINPID=%d", 17);
	cr_assert_str_eq(told(), "READY=1\nSTATUS=serving");
	cr_assert_str_eq(told(), "MAINPID=17");
	cr_assert_str_eq(told(), "");
}

Test(notify, a_name_that_is_no_file_is_understood)
{
	char text[64];

	close(manager);
	snprintf(text, sizeof text, "@hubbub-test-%d", (int)getpid());
	listen_at(text);
	notify_init();
	notify_send("READY=1");
	cr_assert_str_eq(told(), "READY=1");
}

Test(notify, without_a_manager_nothing_is_said_or_opened)
{
	static const char *const none[] = {NULL, "", "relative", "vsock:2:1234",
		"/a/path/of/more/than/a/hundred/and/seven/characters/which/do/not/fit/into/the/"
		"address/of/a/"
		"socket/whatever/else/may"};
	int before = open_descriptors();

	setenv("WATCHDOG_USEC", "1000000", 1);
	for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
		if (none[i] != NULL)
			setenv("NOTIFY_SOCKET", none[i], 1);
		else
			unsetenv("NOTIFY_SOCKET");
		notify_init();
		notify_send("READY=1");
		cr_assert_eq(open_descriptors(), before, "%s", none[i]);
		cr_assert_eq(notify_watchdog(), 0, "%s", none[i]);
	}
	cr_assert_str_eq(told(), "");
}

static void
set_watchdog(const char *interval, int pid)
{
	char text[16];

	setenv("WATCHDOG_USEC", interval, 1);
	snprintf(text, sizeof text, "%d", pid);
	if (pid != 0)
		setenv("WATCHDOG_PID", text, 1);
}

Test(notify, a_manager_is_reachable_while_its_socket_is_there)
{
	struct rlimit none = {0, 0}, files;

	notify_init();
	cr_expect(notify_is_reachable());
	getrlimit(RLIMIT_NOFILE, &files);
	none.rlim_max = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &none);
	cr_expect(notify_is_reachable(), "nothing tells that it is not");
	setrlimit(RLIMIT_NOFILE, &files);
	close(manager);
	cr_expect_not(notify_is_reachable(), "nobody listens");
	unlink(name);
	cr_expect_not(notify_is_reachable(), "no file");
	manager = -1;
}

Test(notify, the_watchdogs_interval_is_nanoseconds)
{
	notify_init();
	cr_assert_eq(notify_watchdog(), 0, "nobody asked");
	set_watchdog("10000000", 0);
	notify_init();
	cr_assert_eq(notify_watchdog(), INT64_C(10000000000));
}

Test(notify, what_is_no_interval_is_named_and_left_alone)
{
	static const char *const wrong[] = {
		"99999999999999999999", "9223372036854775807", "9223372036854776", "-1", "", "1s"};

	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		const char *heard;

		set_watchdog(wrong[i], 0);
		complaint_listen();
		notify_init();
		heard = complaint_heard();
		cr_assert_eq(notify_watchdog(), 0, "%s", wrong[i]);
		cr_assert_not_null(strstr(heard, "WATCHDOG_USEC: '"), "%s: %s", wrong[i], heard);
	}
	/* The longest. */
	set_watchdog("9223372036854775", 0);
	notify_init();
	cr_assert_eq(notify_watchdog(), INT64_C(9223372036854775000));
}

Test(notify, the_watchdog_is_this_process_s)
{
	set_watchdog("10000000", (int)getpid());
	notify_init();
	cr_assert_eq(notify_watchdog(), INT64_C(10000000000));
}

Test(notify, the_watchdog_of_another_process_is_none_of_ours)
{
	set_watchdog("10000000", (int)getppid());
	notify_init();
	cr_assert_eq(notify_watchdog(), 0);
	/* But an upgrade's new master stands in for the first one. */
	setenv("HUBBUB_HANDOVER", "9", 1);
	notify_init();
	cr_assert_eq(notify_watchdog(), INT64_C(10000000000));
}

Test(notify, a_manager_that_does_not_hear_is_not_waited_for)
{
	notify_init();
	for (int i = 0; i < 10000; i++)
		notify_alive();
	cr_assert_str_eq(told(), "WATCHDOG=1");
	/* Nor one that has gone. */
	close(manager);
	notify_send("STOPPING=1");
}

Test(notify, without_files_at_the_start_it_says_so)
{
	struct rlimit limit = {0, 4096};
	const char *heard;

	complaint_listen();
	limit.rlim_cur = (rlim_t)dup(STDERR_FILENO);
	close((int)limit.rlim_cur);
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	notify_init();
	notify_send("READY=1");
	heard = complaint_heard();
	cr_assert_not_null(strstr(heard, "cannot talk to the service manager"), "%s", heard);
	cr_assert_str_eq(told(), "");
}

/* The word is kept for later by a descriptor that is there from the start. */
Test(notify, without_files_later_words_still_come)
{
	notify_init();
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &(struct rlimit){0, 4096}), 0);
	notify_send("MAINPID=1");
	/* Criterion has files of its own. */
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &(struct rlimit){1024, 4096}), 0);
	cr_assert_str_eq(told(), "MAINPID=1");
}

/* Fills the manager's queue. Returns how many words are in it. */
static int
fill_queue(void)
{
	int count = 0, fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_un address;
	socklen_t length = sizeof address;

	cr_assert_eq(getsockname(manager, (struct sockaddr *)&address, &length), 0);
	while (sendto(fd, "X", 1, 0, (struct sockaddr *)&address, length) == 1)
		count++;
	close(fd);
	return count;
}

Test(notify, a_state_that_there_is_no_room_for_is_sent_again)
{
	struct ev_loop *loop = ev_loop_new(EVFLAG_NOENV);

	notify_init();
	for (int count = fill_queue(); count > 0; count--)
		cr_assert_str_eq(told(), "X");
	fill_queue();
	notify_send("RELOADING=1");
	notify_start(loop);
	notify_send("READY=1");
	notify_alive();
	while (strcmp(told(), "X") == 0)
		;
	cr_assert_str_eq(told(), "");
	ev_run(loop, 0); /* until nothing is left to be said */
	cr_assert_str_eq(told(), "RELOADING=1");
	cr_assert_str_eq(told(), "READY=1");
	cr_assert_str_eq(told(), "");
	/* A later word does not overtake, and takes those before it along. */
	fill_queue();
	notify_send("RELOADING=1");
	while (strcmp(told(), "X") == 0)
		;
	notify_send("READY=1");
	cr_assert_str_eq(told(), "RELOADING=1");
	cr_assert_str_eq(told(), "READY=1");
	cr_assert_str_eq(told(), "");
	notify_stop();
	ev_loop_destroy(loop);
}

Test(notify, a_status_is_told_when_it_is_another_one)
{
	notify_init();
	notify_status("one");
	notify_status("one");
	cr_assert_str_eq(told(), "STATUS=one");
	cr_assert_str_eq(told(), "");
	notify_send("READY=1\nSTATUS=two");
	notify_status("two");
	cr_assert_str_eq(told(), "READY=1\nSTATUS=two");
	cr_assert_str_eq(told(), "");
	notify_status("one");
	cr_assert_str_eq(told(), "STATUS=one");
	/* Whose words these were is forgotten. */
	notify_forget();
	notify_status("one");
	cr_assert_str_eq(told(), "STATUS=one");
}

/* Numbers come often: they do not drive out what must be heard. */
Test(notify, a_status_waits_for_no_room)
{
	notify_init();
	fill_queue();
	notify_send("READY=1");
	for (int i = 0; i < 20; i++)
		notify_status(i % 2 == 0 ? "one" : "two");
	while (strcmp(told(), "X") == 0)
		;
	notify_status("three");
	cr_assert_str_eq(told(), "READY=1");
	cr_assert_str_eq(told(), "STATUS=three");
	cr_assert_str_eq(told(), "");
}

Test(notify, room_is_awaited_of_a_manager_that_is_there)
{
	cr_assert_not(notify_awaits_room(), "there is none");
	notify_init();
	notify_send("READY=1");
	cr_assert_not(notify_awaits_room(), "it has been taken");
	fill_queue();
	notify_send("MAINPID=1");
	cr_assert(notify_awaits_room());
	while (strcmp(told(), "READY=1") == 0 || strcmp(told(), "X") == 0)
		;
	cr_assert_not(notify_awaits_room());
	cr_assert_str_eq(told(), "MAINPID=1");
	fill_queue();
	notify_send("MAINPID=2");
	cr_assert(notify_awaits_room());
	close(manager);
	cr_assert_not(notify_awaits_room(), "it has gone");
}

Test(notify, what_is_forgotten_does_not_come_after_all)
{
	struct ev_loop *loop = ev_loop_new(EVFLAG_NOENV);

	notify_init();
	notify_start(loop);
	fill_queue();
	notify_send("READY=1");
	notify_forget();
	ev_run(loop, 0); /* nothing is waited for */
	notify_send("MAINPID=1");
	while (strcmp(told(), "X") == 0)
		;
	ev_run(loop, 0);
	cr_assert_str_eq(told(), "MAINPID=1");
	cr_assert_str_eq(told(), "");
	notify_stop();
	ev_loop_destroy(loop);
}

Test(notify, of_more_states_than_are_kept_the_last_are_sent)
{
	char expected[24];

	notify_init();
	fill_queue();
	for (int i = 0; i < 20; i++)
		notify_send("STATUS=%d", i);
	while (strcmp(told(), "X") == 0)
		;
	notify_alive();
	for (int i = 12; i < 20; i++) {
		snprintf(expected, sizeof expected, "STATUS=%d", i);
		cr_assert_str_eq(told(), expected);
	}
	cr_assert_str_eq(told(), "WATCHDOG=1");
}

Test(notify, a_manager_that_comes_back_is_told_the_state)
{
	struct ev_loop *loop = ev_loop_new(EVFLAG_NOENV);
	char path[108];

	notify_init();
	notify_start(loop);
	strcpy(path, name);
	close(manager);
	unlink(path);
	notify_send("READY=1");
	listen_at(path);
	ev_run(loop, 0);
	cr_assert_str_eq(told(), "READY=1");
	notify_stop();
	ev_loop_destroy(loop);
}
