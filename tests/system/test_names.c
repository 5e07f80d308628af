/* Names with several addresses, some of which the machine does not have. Each test runs in a
 * network namespace of its own, where every port is free, so the ports are fixed. */
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/folder.h"
#include "tests/support/loader.h"
#include "tests/support/names.h"
#include "tests/support/server.h"

static struct server server;
static struct loader loader;
static struct program program;
static char folder[FOLDER_SIZE];

static void
end(void)
{
	folder_remove(folder);
	loader_clean(&loader);
	server_clean(&server);
	if (program.output > 0)
		program_end(&program);
}

TestSuite(names, .fini = end, .timeout = 600);

#define ENTER(hosts, has_v6)                                                                       \
	do {                                                                                       \
		const char *why = names_enter(hosts, has_v6);                                      \
                                                                                                   \
		if (why != NULL)                                                                   \
			cr_skip_test("%s", why);                                                   \
	} while (0)

/* Sixteen addresses of the loopback interface. */
#define FIFTEEN                                                                                    \
	"127.0.0.1 here\n127.0.0.2 here\n127.0.0.3 here\n127.0.0.4 here\n127.0.0.5 here\n"         \
	"127.0.0.6 here\n127.0.0.7 here\n127.0.0.8 here\n127.0.0.9 here\n127.0.0.10 here\n"        \
	"127.0.0.11 here\n127.0.0.12 here\n127.0.0.13 here\n127.0.0.14 here\n127.0.0.15 here\n"
#define SIXTEEN FIFTEEN "127.0.0.16 here\n"

/* ---- the server ---- */

static int
count(const char *text, const char *part)
{
	int found = 0;

	for (; (text = strstr(text, part)) != NULL; text += strlen(part))
		found++;
	return found;
}

static const char *
ready_line(const struct program *of)
{
	return strstr(of->text, "ready: ");
}

/* Starts a server that listens at the name in every way. */
static void
start_everywhere(const char *processes)
{
	cr_assert(server_start(&server, "hubbub-echo", processes, "1", "--listen=here:9090",
			  "--listen=udp:here:9090", "--admin=here:9091", "--agent=here:9092", NULL),
		"%s", server.program.text);
	server.admin = 9091;
}

/* Checks that the server answers at this address, in every way. */
static void
check_address(const char *host)
{
	char stream[64], datagrams[64], stats[64];

	snprintf(stream, sizeof stream, "%s:9090", host);
	snprintf(datagrams, sizeof datagrams, "udp:%s:9090", host);
	snprintf(stats, sizeof stats, "--server-stats=%s:9091", host);
	cr_assert_not_null(strstr(ready_line(&server.program), stream), "%s: %s", stream,
		ready_line(&server.program));
	cr_assert_not_null(strstr(ready_line(&server.program), datagrams), "%s", datagrams);
	cr_assert_eq(loader_run(&loader, 0, "-n", "200", "-c", "4", stats, stream, NULL), 0, "%s",
		loader.program.text);
	cr_assert(
		json_is_object(json_object_get(json_object_get(loader.result, "server"), "after")),
		"%s", stats);
	cr_assert_eq(loader_run(&loader, 0, "-n", "200", "-c", "4", datagrams, NULL), 0, "%s",
		loader.program.text);
}

/* Plays a scene in which the name has these addresses, one or two. */
static void
check_served(const char *first, const char *second)
{
	char text[64];
	int addresses = second != NULL ? 2 : 1;
	const char *ready;

	start_everywhere("2");
	check_address(first);
	if (second != NULL)
		check_address(second);
	ready = ready_line(&server.program);
	/* Each address is there once, and no other. */
	cr_assert_eq(count(ready, ":9090"), 2 * addresses, "%s", ready);
	snprintf(text, sizeof text, "http://");
	cr_assert_eq(count(server.program.text, text), addresses, "%s", server.program.text);
	cr_assert_eq(server_ctl(&server, "status", NULL, NULL, 0), 0);
	cr_assert_eq(server_ctl(&server, "reload", NULL, NULL, 0), 0);
	cr_assert_eq(server_end(&server, 20), 0);
}

Test(names, of_the_fourth_version)
{
	ENTER("127.0.0.1 here\n", true);
	check_served("127.0.0.1", NULL);
	cr_assert_eq(count(server.program.text, "not listening"), 0, "%s", server.program.text);
}

Test(names, of_the_sixth_version)
{
	ENTER("::1 here\n", true);
	check_served("[::1]", NULL);
}

Test(names, of_both)
{
	ENTER("127.0.0.1 here\n::1 here\n", true);
	check_served("127.0.0.1", "[::1]");
	cr_assert_eq(count(server.program.text, "not listening"), 0, "%s", server.program.text);
}

Test(names, doubled)
{
	ENTER("127.0.0.1 here\n127.0.0.1 here\n::1 here\n127.0.0.1 here there\n::1 here\n", true);
	check_served("127.0.0.1", "[::1]");
}

Test(names, of_both_where_there_is_no_v6)
{
	ENTER("::1 here\n127.0.0.1 here\n", false);
	check_served("127.0.0.1", NULL);
	/* For --listen twice, --admin, --agent. */
	cr_assert_eq(count(server.program.text, "not listening on"), 4, "%s", server.program.text);
	cr_assert_not_null(strstr(server.program.text, "not listening on [::1]:9090"));
}

Test(names, with_an_address_of_another_machine)
{
	ENTER("192.0.2.1 here\n127.0.0.1 here\n2001:db8::1 here\n", true);
	check_served("127.0.0.1", NULL);
	cr_assert_not_null(strstr(server.program.text, "not listening on 192.0.2.1:9090"));
	cr_assert_not_null(strstr(server.program.text, "not listening on [2001:db8::1]:9090"));
}

/* Starts hubbub-echo with these options alone; returns its exit code, or -1 once it is ready. */
static int
start_alone(const char *option, ...)
{
	char control[FOLDER_SIZE + 32];
	char *argv[16] = {
		program_path("hubbub-echo"), "-p1", "-t1", control, (char *)(uintptr_t)option};
	int arguments = 5;
	va_list more;

	cr_assert(*folder != '\0' || folder_make(folder));
	snprintf(control, sizeof control, "--control=%s/control", folder);
	va_start(more, option);
	while (arguments < 15 && (argv[arguments] = va_arg(more, char *)) != NULL)
		arguments++;
	va_end(more);
	if (program.output > 0)
		program_end(&program);
	cr_assert(program_start(&program, argv, 0));
	return program_expect(&program, " thread, pid ", 20) ? -1 : program_wait(&program, 20);
}

Test(names, of_sixteen_addresses_and_of_more)
{
	ENTER(SIXTEEN "127.0.0.1 there\n", true);
	cr_assert_eq(start_alone("--listen=here:9090", "--admin=here:9091", NULL), -1, "%s",
		program.text);
	cr_assert_eq(count(ready_line(&program), ":9090"), 16, "%s", program.text);
	/* The last address answers, and no more than twelve others do. */
	cr_assert_eq(loader_run(&loader, 0, "-n", "200", "-c", "4", "127.0.0.16:9090", NULL), 0,
		"%s", loader.program.text);
	cr_assert_eq(program_stop(&program, SIGTERM, 20), 0);
	cr_assert_eq(start_alone("--listen=here:9090", "--listen=127.0.0.17:9090", NULL), 2);
	cr_assert_not_null(strstr(program.text, "more than 16 addresses"), "%s", program.text);
	cr_assert(names_change(SIXTEEN "127.0.0.17 here\n"));
	cr_assert_eq(start_alone("--listen=here:9090", NULL), 2);
	cr_assert_not_null(strstr(program.text, "more than 16 addresses"), "%s", program.text);
	cr_assert_eq(
		start_alone("--listen=127.0.0.1:9090", "--admin=here:9091", "--check", NULL), 2);
	cr_assert_not_null(strstr(program.text, "more than 16 addresses"), "%s", program.text);
	/* Repeated addresses need no room. */
	cr_assert(names_change(SIXTEEN SIXTEEN));
	cr_assert_eq(start_alone("--listen=here:9090", "--listen=127.0.0.3:9090", NULL), -1, "%s",
		program.text);
	cr_assert_eq(count(ready_line(&program), ":9090"), 16, "%s", program.text);
}

Test(names, of_nobody)
{
	ENTER("192.0.2.1 elsewhere\n2001:db8::1 elsewhere\n", true);
	cr_assert_eq(start_alone("--listen=nobody.invalid:9090", NULL), 2);
	cr_assert_not_null(strstr(program.text, "nobody.invalid:9090"), "%s", program.text);
	/* This machine has none of the name's addresses. */
	cr_assert_eq(start_alone("--listen=elsewhere:9090", NULL), 1);
	cr_assert_not_null(
		strstr(program.text, "no interface of this machine"), "%s", program.text);
	cr_assert_eq(start_alone("--listen=127.0.0.1:9090", "--admin=elsewhere:9091", NULL), 1);
	cr_assert_not_null(strstr(program.text, "--admin's"), "%s", program.text);
}

/* An address that is given in digits is not skipped, even if a name stands for it, too. */
Test(names, and_numbers_for_one_address)
{
	ENTER("127.0.0.1 here\n::1 here\n", false);
	cr_assert_eq(start_alone("--listen=here:9090", "--listen=[::1]:9090", NULL), 1);
	cr_assert_not_null(strstr(program.text, "cannot listen on [::1]:9090"), "%s", program.text);
	cr_assert_eq(start_alone("--listen=127.0.0.1:9090", "--listen=here:9090", NULL), -1, "%s",
		program.text);
	cr_assert_eq(count(ready_line(&program), "127.0.0.1:9090"), 1, "%s", program.text);
}

/* If another server has one of the addresses, the server does not start without that address. */
Test(names, of_which_somebody_has_one_address)
{
	ENTER("127.0.0.1 here\n::1 here\n", true);
	cr_assert(server_start(&server, "hubbub-echo", "1", "1", "--listen=[::1]:9090", NULL));
	cr_assert_eq(start_alone("--listen=here:9090", NULL), 1);
	cr_assert_not_null(strstr(program.text, "cannot listen on [::1]:9090"), "%s", program.text);
}

/* Listens at that port until the test ends. Returns whether it could. */
static bool
occupy(bool is_v6, unsigned port)
{
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6,
		.sin6_addr = IN6ADDR_LOOPBACK_INIT,
		.sin6_port = htons((in_port_t)port)};
	struct sockaddr_in v4 = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = v6.sin6_port};
	int fd = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return (is_v6 ? bind(fd, (struct sockaddr *)&v6, sizeof v6)
		      : bind(fd, (struct sockaddr *)&v4, sizeof v4)) == 0 &&
	       listen(fd, 1) == 0;
}

/* The port of that host, which follows a text in a program's output. */
static int
port_after(const char *before, const char *host)
{
	char text[64];
	const char *where;
	int port = 0;

	snprintf(text, sizeof text, "%s%s:", before, host);
	where = strstr(program.text, text);
	cr_assert(where != NULL && sscanf(where + strlen(text), "%d", &port) == 1, "%s",
		program.text);
	return port;
}

/* Checks that the two addresses that follow a text in a program's output have one port. */
static void
check_same_port(const char *before)
{
	cr_assert_eq(
		port_after(before, "[::1]"), port_after(before, "127.0.0.1"), "%s", program.text);
}

/* Port 0 stands for one port, the same at all addresses of a name. */
Test(names, with_any_port)
{
	ENTER("127.0.0.1 here\n::1 here\n", true);
	cr_assert_eq(start_alone("--listen=here:0", "--listen=udp:here:0", "--admin=here:0", NULL),
		-1, "%s", program.text);
	check_same_port("");
	check_same_port("udp:");
	check_same_port("http://");
}

/* The kernel chooses a port that is free at one address; it may be taken at another. */
Test(names, with_a_port_that_is_free_at_all_addresses)
{
	FILE *range;

	ENTER("127.0.0.1 here\n::1 here\n", true);
	range = fopen("/proc/sys/net/ipv4/ip_local_port_range", "we");
	if (range == NULL || fprintf(range, "9000 9095") < 0 || fclose(range) != 0)
		cr_skip_test("the range of ports cannot be set here");
	/* The kernel prefers odd ports. */
	for (unsigned port = 9001; port < 9095; port += 6)
		cr_assert(occupy(true, port) && occupy(false, port + 2));
	for (int i = 0; i < 6; i++) {
		cr_assert_eq(start_alone("--listen=here:0", "--admin=here:0", NULL), -1, "%s",
			program.text);
		check_same_port("");
		check_same_port("http://");
		cr_assert_eq(program_stop(&program, SIGTERM, 20), 0);
	}
}

/* Sockets keep their addresses, whatever the name stands for later. */
Test(names, that_change_before_an_upgrade)
{
	static const char *const later[] = {"::1 here\n127.0.0.1 here\n", "127.0.0.1 here\n",
		"127.0.0.2 here\n", "127.0.0.3 here\n127.0.0.2 here\n::1 here\n127.0.0.1 here\n"};
	static char output[4096];

	ENTER("127.0.0.1 here\n::1 here\n192.0.2.1 here\n", true);
	start_everywhere("1");
	for (size_t i = 0; i < sizeof later / sizeof later[0]; i++) {
		cr_assert(names_change(later[i]));
		cr_assert_eq(server_ctl(&server, "upgrade", NULL, output, sizeof output), 0, "%s",
			output);
		cr_assert(program_expect(&server.program, "took over", 10));
		check_address("127.0.0.1");
		check_address("[::1]");
	}
	cr_assert_eq(server_ctl(&server, "drain", NULL, output, sizeof output), 0, "%s", output);
}

/* ---- the load generator ---- */

Test(names, whose_first_addresses_do_not_answer)
{
	static const char *const at[][2] = {
		{"--listen=127.0.0.1:9090", "--listen=udp:127.0.0.1:9090"},
		{"--listen=[::1]:9090", "--listen=udp:[::1]:9090"}};

	ENTER("127.0.0.1 here\n::1 here\n", true);
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(start_alone(at[i][0], at[i][1], NULL), -1, "%s", program.text);
		cr_assert_eq(
			loader_run(&loader, 0, "-p2", "-n", "400", "-c", "8", "here:9090", NULL), 0,
			"%s", loader.program.text);
		cr_assert_eq(loader_number(&loader, "errors.total"), 0);
		cr_assert_eq(loader_run(&loader, 0, "-n", "200", "-c", "4", "udp:here:9090", NULL),
			0, "%s", loader.program.text);
		cr_assert_eq(loader_number(&loader, "errors.total"), 0);
		cr_assert_eq(program_stop(&program, SIGTERM, 20), 0);
	}
}

Test(names, whose_last_of_sixteen_addresses_answers)
{
	ENTER(SIXTEEN, true);
	cr_assert_eq(start_alone("--listen=127.0.0.16:9090", "--admin=127.0.0.16:9091", NULL), -1,
		"%s", program.text);
	cr_assert_eq(loader_run(&loader, 0, "-n", "200", "-c", "4", "--server-stats=here:9091",
			     "here:9090", NULL),
		0, "%s", loader.program.text);
	cr_assert_not_null(
		strstr(loader.program.text, "trying its next address"), "%s", loader.program.text);
}

Test(names, that_a_load_cannot_have)
{
	ENTER(SIXTEEN "127.0.0.17 here\n", true);
	cr_assert_neq(loader_run(&loader, 0, "-n", "10", "here:9090", NULL), 0);
	cr_assert_not_null(
		strstr(loader.program.text, "more than 16 addresses"), "%s", loader.program.text);
	cr_assert_eq(loader_run(&loader, 0, "-n", "10", "nobody.invalid:9090", NULL), 1);
	cr_assert_not_null(
		strstr(loader.program.text, "nobody.invalid"), "%s", loader.program.text);
}
