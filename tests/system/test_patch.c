/* Patching, with libraries and programs from outside this project, against real servers that the
 * tests start. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <glob.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/folder.h"
#include "tests/support/program.h"

#define STARTUP 60 /* seconds that a server may take to start */

static struct program server, program;
static char folder[FOLDER_SIZE];
static int port;

static void
end(void)
{
	program_end(&program);
	if (server.pid != 0)
		program_stop(&server, SIGTERM, 20);
	program_end(&server);
	folder_remove(folder);
}

static int
free_port(void)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	getsockname(fd, (struct sockaddr *)&address, &size);
	close(fd);
	return ntohs(address.sin_port);
}

/* Whether a server accepts at that port. */
static bool
is_served(void *context)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons((in_port_t) * (int *)context),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	bool is_connected = connect(fd, (struct sockaddr *)&address, sizeof address) == 0;

	close(fd);
	return is_connected;
}

static bool
is_installed(const char *pattern)
{
	glob_t found;
	bool is_there = glob(pattern, 0, NULL, &found) == 0;

	if (is_there)
		globfree(&found);
	return is_there;
}

/* Runs a shell command to its end, as the server's user. */
static int
run_shell(const char *format, ...)
{
	char command[1024];
	char *argv[] = {"sh", "-c", command, NULL};
	va_list arguments;
	int code;

	va_start(arguments, format);
	vsnprintf(command, sizeof command, format, arguments);
	va_end(arguments);
	program_end(&program);
	cr_assert(program_start(&program, argv, 0));
	code = program_wait(&program, STARTUP);
	return code;
}

static void
start_server(const char *format, ...)
{
	char command[1024] = "exec ";
	char *argv[] = {"sh", "-c", command, NULL};
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(command + 5, sizeof command - 5, format, arguments);
	va_end(arguments);
	cr_assert(program_start(&server, argv, 0));
	if (!wait_until(is_served, &port, STARTUP)) {
		program_expect(&server, "no such text", 1);
		cr_assert_fail("the server does not serve: %s", server.text);
	}
}

static void
write_file(const char *name, const char *format, ...)
{
	char path[FOLDER_SIZE + 32];
	va_list arguments;
	FILE *file;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	file = fopen(path, "w");
	va_start(arguments, format);
	vfprintf(file, format, arguments);
	va_end(arguments);
	fclose(file);
}

/* A server that refuses to run as root runs as its package's user. */
static const char *
as_user(const char *user)
{
	static char prefix[128];

	prefix[0] = '\0';
	if (getuid() == 0 && getpwnam(user) != NULL)
		snprintf(prefix, sizeof prefix, "setpriv --reuid %s --regid %s --clear-groups ",
			user, user);
	return prefix;
}

#define NEEDS(condition, what)                                                                     \
	do {                                                                                       \
		if (!(condition))                                                                  \
			cr_skip_test(what " is not installed");                                    \
	} while (0)

/* ---- servers ---- */

static void
start_postgres(void)
{
	NEEDS(is_installed("/usr/lib/postgresql/*/bin/initdb"), "postgresql");
	cr_assert(folder_make(folder));
	chmod(folder, 0777);
	port = free_port();
	cr_assert_eq(run_shell("%s$(ls -d /usr/lib/postgresql/*/bin | tail -n 1)/initdb -D %s/data "
			       "-U postgres "
			       "-A trust -E UTF8 --locale=C --no-sync",
			     as_user("postgres"), folder),
		0, "%s", program.text);
	start_server("%s$(ls -d /usr/lib/postgresql/*/bin | tail -n 1)/postgres -D %s/data -p %d "
		     "-k %s -F "
		     "-c max_connections=200 -c listen_addresses=127.0.0.1",
		as_user("postgres"), folder, port, folder);
	/* It accepts before it is ready. */
	cr_assert(program_expect(&server, "ready to accept connections", STARTUP));
}

static void
start_redis(void)
{
	NEEDS(is_installed("/usr/bin/redis-server"), "redis-server");
	cr_assert(folder_make(folder));
	port = free_port();
	start_server("redis-server --port %d --bind 127.0.0.1 --save '' --dir %s", port, folder);
}

/* A file at 50 kB a second: nginx sends the first second's share at once, so 60 kB take part of a
 * second. */
static void
start_nginx(void)
{
	NEEDS(is_installed("/usr/sbin/nginx"), "nginx");
	cr_assert(folder_make(folder));
	chmod(folder, 0755);
	port = free_port();
	write_file("nginx.conf",
		"daemon off; master_process off; pid %s/pid; error_log stderr;\n"
		"events { worker_connections 1000; }\n"
		"http { access_log off; client_body_temp_path %s/1; proxy_temp_path %s/2;\n"
		"fastcgi_temp_path %s/3; uwsgi_temp_path %s/4; scgi_temp_path %s/5;\n"
		"server { listen 127.0.0.1:%d; root %s;\n"
		"location /slow { limit_rate 50000; } } }\n",
		folder, folder, folder, folder, folder, folder, port, folder);
	write_file("slow", "%060000d", 0);
	write_file("fast", "%05000d\n", 1);
	start_server("/usr/sbin/nginx -p %s -c %s/nginx.conf -e stderr", folder, folder);
}

static void
start_mariadb(void)
{
	const char *user = getuid() == 0 ? "--user=root" : "";

	NEEDS(is_installed("/usr/sbin/mariadbd") && is_installed("/usr/bin/mariadb-install-db"),
		"mariadb-server-core");
	cr_assert(folder_make(folder));
	port = free_port();
	cr_assert_eq(
		run_shell("mariadb-install-db --no-defaults --datadir=%s/data %s --skip-test-db "
			  "--auth-root-authentication-method=normal",
			folder, user),
		0, "%s", program.text);
	start_server("/usr/sbin/mariadbd --no-defaults --datadir=%s/data %s --port=%d "
		     "--socket=%s/socket "
		     "--bind-address=127.0.0.1 --max-connections=200 --pid-file=%s/pid "
		     "--innodb-flush-log-at-trx-commit=0",
		folder, user, port, folder, folder);
	cr_assert(program_expect(&server, "ready for connections", STARTUP));
}

/* ---- libraries ---- */

#define CROWD 100
#define FEW 10 /* coroutines that wait one after the other */

/* Runs one of the programs with count coroutines. Returns how many were at work at a time at most;
 * each takes a fifth of a second at least. */
static int
crowd(const char *name, int count, const char *how)
{
	char port_text[16], count_text[16];
	char *argv[] = {program_path(name), port_text, count_text, (char *)(uintptr_t)how, NULL};
	int right = -1, of = -1, most = -1;
	double seconds = -1;
	const char *line;

	NEEDS(is_installed(argv[0]), "its library");
	snprintf(port_text, sizeof port_text, "%d", port);
	snprintf(count_text, sizeof count_text, "%d", count);
	program_end(&program);
	cr_assert(program_start(&program, argv, 0));
	cr_assert_eq(program_wait(&program, 120), 0, "%s", program.text);
	line = strstr(program.text, " right, ");
	while (line != NULL && line > program.text && line[-1] != '\n')
		line--;
	cr_assert(line != NULL && sscanf(line, "%d of %d right, at most %d at a time, in %lf",
					  &right, &of, &most, &seconds) == 4,
		"%s", program.text);
	cr_assert_eq(right, count);
	cr_expect_geq(seconds, 0.2, "nobody waits at all");
	return most;
}

/* Unpatched, coroutines wait one after the other; patched, they wait at a time. Under a sanitizer a
 * request may compute for nearly as long as it waits. */
static void
expect_together(const char *name)
{
	cr_expect_geq(crowd(name, CROWD, NULL), program_is_sanitized() ? 2 : CROWD / 5);
	cr_expect_eq(crowd(name, FEW, "unpatched"), 1);
}

TestSuite(patch_libraries, .fini = end, .timeout = 600);

Test(patch_libraries, a_hundred_coroutines_use_libpq)
{
	start_postgres();
	expect_together("patch-postgres");
}

Test(patch_libraries, a_hundred_coroutines_use_hiredis)
{
	start_redis();
	expect_together("patch-redis");
}

Test(patch_libraries, a_hundred_coroutines_use_libcurl)
{
	start_nginx();
	expect_together("patch-http");
}

Test(patch_libraries, a_hundred_coroutines_use_libmariadb)
{
	start_mariadb();
	expect_together("patch-mariadb");
}

static void
expect_a_report(char *backend)
{
	char *argv[] = {
		"env", "HUBBUB_PATCH_REPORT=1", backend, program_path("patch-report"), NULL};

	cr_assert(program_start(&program, argv, 0));
	cr_assert_eq(program_wait(&program, 20), 0, "%s", program.text);
	cr_assert_not_null(strstr(program.text, "\nsigtimedwait "), "%s", program.text);
	cr_assert_not_null(
		strstr(program.text, "\nusleep "), "on the thread's own stack: %s", program.text);
	cr_assert_null(strstr(program.text, "\nread "), "%s", program.text);
	cr_assert_null(strstr(program.text, "\nepoll_wait "), "the hub's own: %s", program.text);
	cr_assert_null(strstr(program.text, "\npoll "), "the hub's own: %s", program.text);
}

Test(patch_libraries, the_report_names_what_blocked)
{
	expect_a_report("HUBBUB_BACKEND=epoll");
}

Test(patch_libraries, the_report_names_what_blocked_by_poll)
{
	expect_a_report("HUBBUB_BACKEND=poll");
}

/* ---- programs, with the library preloaded ---- */

TestSuite(patch_preload, .fini = end, .timeout = 600);

/* Returns what a command prints, with the library preloaded if families names any. */
static char *
output_of(const char *families, const char *command)
{
	char preload[4200] = "HUBBUB_PATCH=", list[64];
	char *argv[] = {"env", preload, list, "sh", "-c", (char *)(uintptr_t)command, NULL};
	char *text;

	snprintf(list, sizeof list, "HUBBUB_PATCH=%s", families != NULL ? families : "none");
	if (families != NULL) {
		snprintf(preload, sizeof preload, "LD_PRELOAD=%s",
			program_path("../lib/libhubbub-patch.so"));
		cr_assert(is_installed(strchr(preload, '=') + 1), "%s", preload);
	}
	program_end(&program);
	cr_assert(program_start(&program, argv, 0));
	cr_assert_eq(program_wait(&program, 60), 0, "%s", program.text);
	text = strdup(program.text);
	cr_assert_not_null(text);
	return text;
}

static void
expect_same(const char *command)
{
	char *plain = output_of(NULL, command), *patched = output_of("all", command),
	     *created = output_of("all,create", command);

	cr_expect_gt(strlen(plain), 20, "%s", plain);
	cr_expect_str_eq(patched, plain);
	cr_expect_str_eq(created, plain);
	free(plain);
	free(patched);
	free(created);
}

Test(patch_preload, curl_prints_the_same)
{
	char command[300];

	NEEDS(is_installed("/usr/bin/curl"), "curl");
	start_nginx();
	snprintf(command, sizeof command,
		"curl -sS -w '%%{http_code} %%{size_download}\\n' http://localhost:%d/fast "
		"http://127.0.0.1:%d/none",
		port, port);
	expect_same(command);
}

Test(patch_preload, psql_prints_the_same)
{
	char command[300];

	NEEDS(is_installed("/usr/bin/psql"), "postgresql-client");
	start_postgres();
	snprintf(command, sizeof command,
		"psql -X -h 127.0.0.1 -p %d -U postgres -c 'select n, md5(n::text) from "
		"generate_series(1, 500) n' 2>&1",
		port);
	expect_same(command);
}

Test(patch_preload, redis_cli_prints_the_same)
{
	char command[300];

	NEEDS(is_installed("/usr/bin/redis-cli"), "redis-tools");
	start_redis();
	snprintf(command, sizeof command,
		"for i in $(seq 100); do echo SET k$i v$i; echo GET k$i; done | redis-cli -p %d "
		"2>&1",
		port);
	expect_same(command);
}

Test(patch_preload, cpython_starts_commands_that_do_not_exist_as_ever)
{
	NEEDS(is_installed("/usr/bin/python3"), "python3");
	expect_same("python3 " HUBBUB_SOURCE_DIR "/tests/patch/popen.py");
}

/* A preloaded library comes before libhubbub-hub in the order of symbols. */
Test(patch_preload, the_hubs_own_descriptors_are_high)
{
	char preload[600], *argv[] = {"/usr/bin/env", preload, "HUBBUB_PATCH=all", "ls",
				   "/proc/self/fd", NULL};
	unsigned own = 0;

	snprintf(preload, sizeof preload, "LD_PRELOAD=%s", program_path("../lib/patch-main.so"));
	snprintf(preload + strlen(preload), sizeof preload - strlen(preload), " %s",
		program_path("../lib/libhubbub-patch.so"));
	cr_assert(program_start(&program, argv, 0));
	cr_assert_eq(program_wait(&program, 60), 0, "%s", program.text);
	for (const char *line = strtok(program.text, "\n"); line != NULL; line = strtok(NULL, "\n"))
		own += atoi(line) >= 768;
	cr_assert_geq(own, 2, "its epoll set, and what wakes it");
}

Test(patch_preload, a_hundred_threads_are_one_where_that_was_asked_for)
{
	char *command = strdup(program_path("patch-threads"));
	char *plain = output_of(NULL, command);
	char *patched = output_of("all", command);
	char *created = output_of("all,create", command);

	cr_expect_str_eq(plain, "100 of 100 right, 100 destroyed, a kernel thread for each, in "
				"time\ncanceled\ncleaned up\n");
	cr_expect_str_eq(patched, plain);
	cr_expect_str_eq(created, "100 of 100 right, 100 destroyed, one kernel thread for all, in "
				  "time\ncanceled\ncleaned up\n");
	free(plain);
	free(patched);
	free(created);
	free(command);
}

Test(patch_preload, threads_have_their_names_masks_and_signals_apart)
{
	char *command = strdup(program_path("patch-apart"));

	expect_same(command);
	free(command);
}

Test(patch_preload, a_family_that_does_not_exist_is_named)
{
	char *text = output_of("all,sokcet", "true");

	cr_expect_not_null(
		strstr(text, "\"sokcet\", which is no family; there are: all none os time socket"),
		"%s", text);
	free(text);
}
