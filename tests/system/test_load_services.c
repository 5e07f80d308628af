/* hubbub-load against services that do not echo: of lines, Redis, and a web server. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/folder.h"
#include "tests/support/loader.h"
#include "tests/support/server.h"

#define STARTUP 60 /* seconds; a server that starts is not the point here */

static struct loader loader;
static struct program program, foreign;
static struct server lines;
static char folder[FOLDER_SIZE];

static void
clean(void)
{
	loader_clean(&loader);
	program_end(&program);
	if (foreign.pid != 0)
		program_stop(&foreign, SIGTERM, STARTUP);
	program_end(&foreign);
	if (lines.program.output > 0)
		server_end(&lines, STARTUP);
	if (folder[0] != '\0')
		folder_remove(folder);
}

TestSuite(load_services, .fini = clean, .timeout = 600);

/* What the loader says of its first wrong reply. */
static const char *
first_fault(void)
{
	const char *text = json_string_value(
		json_object_get(json_object_get(loader.result, "verify"), "first"));

	return text != NULL ? text : "(none)";
}

/* Loads what serves at the port, and expects the exit code. */
#define expect(code, port, ...)                                                                    \
	cr_assert_eq(loader_run(&loader, port, "-q", "-c", "4", __VA_ARGS__, NULL), code, "%s",    \
		loader.program.text)

/* ---- lines ---- */

static int
start_lines(void)
{
	cr_assert(server_start(&lines, "waits", "1", "1", NULL), "%s", lines.program.text);
	return lines.program.port;
}

Test(load_services, lines_are_answered_by_lines)
{
	int port = start_lines();

	expect(0, port, "-n", "400", "--request=hello \\{counter}\\n",
		"--expect=HELLO \\{counter}\\n\\{end}", "--reply=line");
	cr_assert_eq(loader_number(&loader, "load.messages"), 400);
	cr_assert_eq(loader_number(&loader, "verify.checked"), 400);
	/* Many on their way at a time, of both kinds of connections. */
	expect(0, port, "-n", "4000", "--closed=100", "--idle=10",
		"--request=a\\{random:0-99999}\\n", "--expect=A\\{random:0-99999}\\n\\{end}",
		"--request=\\{weight:3}b\\{letters:40}\\n", "--expect=B", "--reply=until:\\n");
	cr_assert_eq(loader_number(&loader, "load.messages"), 4000);
	cr_assert_eq(loader_number(&loader, "connections.idle_alive_end"), 10);
	expect(0, port, "-d", "500ms", "--warmup=0", "-R", "1k", "--churn=10", "--request=abc\\n",
		"--reply=bytes:4", "--expect=ABC\\n");
	cr_assert_eq(loader_number(&loader, "latency_ns.response.count"), 500);
	/* Messages for an echo, with other replies. */
	expect(0, port, "-n", "100", "--framing=line", "--reply=line");
	expect(0, port, "-n", "100", "--request=ABC\\n");
}

Test(load_services, a_reply_that_is_not_as_expected_is_named)
{
	int port = start_lines();

	expect(5, port, "-n", "100", "--request=hello\\n", "--expect=HELP", "--reply=line");
	cr_assert_not_null(strstr(first_fault(),
				   "message 0: offset 3 of the reply: expected 50, got 4c 4f 0a"),
		"%s", first_fault());
	expect(5, port, "-n", "100", "--request=hello\\n", "--reply=bytes:2");
	cr_assert_not_null(strstr(first_fault(), "extra"), "%s", first_fault());
	cr_assert_not_null(strstr(first_fault(), "4 bytes more than were asked for: 4c 4c 4f 0a"),
		"%s", first_fault());
	expect(5, port, "-n", "100", "--request=hello\\n", "--reply=resp");
	cr_assert_not_null(
		strstr(first_fault(), "a value of RESP begins with one of + - : $ *, got 48"), "%s",
		first_fault());
}

Test(load_services, one_that_does_not_echo_is_said_to_need_a_request)
{
	int port = start_lines();

	expect(3, port, "-n", "4", "--timeout=300ms");
	cr_assert_not_null(strstr(loader.program.text, "--request 'PING\\r\\n' --reply line"), "%s",
		loader.program.text);
}

/* The service prints its name in its ready line, as any on this library. */
Test(load_services, a_search_and_a_sweep_tune_them)
{
	int port = start_lines();
	char *argv[] = {program_path("hubbub-load"), "sweep", "--grid=1x1", "--rounds=1", "-d",
		"200ms", "--warmup=0", "--max-lag=10s", "-c", "4", "--request=hello\\n",
		"--expect=HELLO\\n\\{end}", "--reply=line", "--", "waits", NULL};
	char target[32];
	char *search[] = {argv[0], "search", "p99<10s", target, "-d", "200ms", "--warmup=0",
		"--max-lag=10s", "-c", "4", "--request=hello\\n", "--expect=HELLO\\n\\{end}",
		"--reply=line", NULL};
	int code;

	cr_assert(program_start(&program, argv, 0));
	code = program_wait(&program, 300);
	/* One shape is chosen, unless the machine is too busy to tell. */
	cr_assert(code == 0 || code == 4, "%d: %s", code, program.text);
	cr_assert_null(strstr(program.text, "wrong"), "%s", program.text);
	program_end(&program);
	snprintf(target, sizeof target, "127.0.0.1:%d", port);
	cr_assert(program_start(&program, search, 0));
	code = program_wait(&program, 300);
	cr_assert(code == 0 || code == 4, "%d: %s", code, program.text);
}

Test(load_services, a_check_asks_once)
{
	int port = start_lines();
	char target[32];
	char *argv[] = {program_path("hubbub-load"), "check", "--request=hello\\n", "--reply=line",
		"--expect=HELLO", target, NULL};

	snprintf(target, sizeof target, "127.0.0.1:%d", port);
	cr_assert(program_start(&program, argv, 0));
	cr_assert_eq(program_wait(&program, 60), 0, "%s", program.text);
	cr_assert_not_null(strstr(program.text, "one message answered and verified"));
	program_end(&program);
	argv[4] = "--expect=HELP";
	cr_assert(program_start(&program, argv, 0));
	cr_assert_eq(program_wait(&program, 60), 1);
	cr_assert_not_null(
		strstr(program.text, "offset 3 of the reply: expected 50"), "%s", program.text);
}

/* ---- others' servers ---- */

/* Starts a server by a command of the shell, and waits until it says that it serves. */
static void __attribute__((format(printf, 2, 3))) start(const char *says, const char *format, ...)
{
	char command[1024];
	char *argv[] = {"sh", "-c", command, NULL};
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(command, sizeof command, format, arguments);
	va_end(arguments);
	cr_assert(program_start(&foreign, argv, 0));
	cr_assert(program_expect(&foreign, says, STARTUP), "%s", foreign.text);
}

static int
start_redis(void)
{
	int port = server_lasting_port();

	if (access("/usr/bin/redis-server", X_OK) != 0)
		cr_skip_test("redis-server is not installed");
	cr_assert(folder_make(folder));
	start("Ready to accept", "exec redis-server --port %d --bind 127.0.0.1 --save '' --dir %s",
		port, folder);
	return port;
}

Test(load_services, redis_is_asked_and_its_answers_are_checked)
{
	int port = start_redis();

	expect(0, port, "-n", "2000", "--closed=8", "--reply=resp",
		"--request=SET key:\\{counter} \\{letters:20}\\r\\n", "--expect=+OK\\r\\n\\{end}",
		"--request=\\{weight:2}ECHO \\{random:000-999}\\r\\n",
		"--expect=$3\\r\\n\\{random:000-999}\\r\\n\\{end}", "--request=GET nothing\\r\\n",
		"--expect=$-1\\r\\n\\{end}", "--request=MGET a key:0 b\\r\\n", "--expect=*3\\r\\n");
	cr_assert_eq(loader_number(&loader, "load.messages"), 2000);
	expect(0, port, "-d", "500ms", "--warmup=0", "-R", "1k", "--idle=5", "--reply=resp",
		"--request=*2\\r\\n$4\\r\\nINCR\\r\\n$7\\r\\ncounter\\r\\n", "--expect=:");
	cr_assert_eq(loader_number(&loader, "latency_ns.response.count"), 500);
	cr_assert_eq(loader_number(&loader, "connections.idle_alive_end"), 5);
}

Test(load_services, errors_of_redis_are_failures_unless_expected)
{
	int port = start_redis();

	expect(3, port, "-n", "100", "--reply=resp", "--request=PING\\r\\n",
		"--request=WRONG\\r\\n");
	cr_assert_gt(loader_number(&loader, "errors.by_kind.refused"), 10);
	cr_assert_eq(loader_number(&loader, "errors.by_kind.refused"),
		loader_number(&loader, "load.lost"));
	cr_assert_eq(loader_number(&loader, "errors.by_kind.refused") +
			     loader_number(&loader, "latency_ns.response.count"),
		100);
	expect(0, port, "-n", "100", "--reply=resp", "--request=WRONG\\r\\n", "--expect=-ERR");
	/* Its complaint about messages for an echo says what it is not. */
	expect(5, port, "-n", "4", "--framing=line");
	cr_assert_not_null(
		strstr(loader.program.text, "say what to send"), "%s", loader.program.text);
}

static void
write_file(const char *name, const char *text)
{
	char path[FOLDER_SIZE + 32];
	FILE *file;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	file = fopen(path, "w");
	cr_assert_not_null(file);
	fputs(text, file);
	fclose(file);
}

static int
start_nginx(void)
{
	int port = server_lasting_port();
	char configuration[2048];

	if (access("/usr/sbin/nginx", X_OK) != 0)
		cr_skip_test("nginx is not installed");
	cr_assert(folder_make(folder));
	chmod(folder, 0755);
	snprintf(configuration, sizeof configuration,
		"daemon off; master_process off; pid %1$s/pid; error_log stderr notice;\n"
		"events { worker_connections 1000; }\n"
		"http { access_log off; client_body_temp_path %1$s/1; proxy_temp_path %1$s/2;\n"
		"fastcgi_temp_path %1$s/3; uwsgi_temp_path %1$s/4; scgi_temp_path %1$s/5;\n"
		"log_not_found off; gzip on; gzip_min_length 10; default_type text/html; "
		"keepalive_requests 100;\n"
		"server { listen 127.0.0.1:%2$d; root %1$s; location /none { return 204; }\n"
		"location /busy { return 503; } } }\n",
		folder, port);
	write_file("nginx.conf", configuration);
	write_file("hello", "hello, hello\n");
	/* It listens before it says so. */
	start("event method", "exec /usr/sbin/nginx -p %s -c %s/nginx.conf -e stderr", folder,
		folder);
	return port;
}

Test(load_services, a_web_server_answers_in_all_ways)
{
	int port = start_nginx();

	expect(0, port, "-n", "2000", "--reply=http",
		"--request=GET /hello HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n",
		"--expect=200 hello, hello\\n\\{end}",
		"--request=HEAD /hello HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n", "--expect=200 \\{end}",
		"--request=GET /none HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n", "--expect=204 \\{end}",
		/* This body is compressed, and comes in chunks. */
		"--request=GET /hello HTTP/1.1\\r\\nHost: x\\r\\nAccept-Encoding: gzip\\r\\n\\r\\n",
		"--expect=200 \\x1f\\x8b", "--request=GET /lost HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n",
		"--expect=404");
	cr_assert_eq(loader_number(&loader, "load.messages"), 2000);
	/* nginx closes each connection after a hundred requests, and says so. */
	cr_assert_geq(loader_number(&loader, "connections.reconnects"), 10);
	/* A connection for each request, in both loops; then pipelined ones. */
	expect(0, port, "-n", "200", "--reply=http", "--request=GET /hello HTTP/1.0\\r\\n\\r\\n",
		"--expect=200 hello");
	cr_assert_geq(loader_number(&loader, "connections.reconnects"), 196);
	expect(0, port, "-n", "200", "-R", "1k", "--reply=http",
		"--request=GET /hello HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n",
		"--expect=200 hello");
	expect(0, port, "-n", "200", "--closed=4", "--reply=http",
		"--request=GET /hello HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n", "--expect=200 hello");
}

Test(load_services, a_web_servers_refusals_are_failures)
{
	int port = start_nginx();

	expect(3, port, "-n", "100", "--reply=http",
		"--request=GET /busy HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n", "--expect=200");
	cr_assert_eq(loader_number(&loader, "errors.by_kind.refused"), 100);
	cr_assert_not_null(strstr(loader.program.text, "100 x refused"), "%s", loader.program.text);
	cr_assert_not_null(strstr(loader.program.text, "the first refusal: HTTP/1.1 503"), "%s",
		loader.program.text);
	expect(5, port, "-n", "100", "--reply=http",
		"--request=GET /hello HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n", "--expect=200 hallo");
	cr_assert_not_null(
		strstr(first_fault(),
			"offset 5 of status, blank and body: expected 61 6c 6c 6f, got 65 6c"),
		"%s", first_fault());
}
