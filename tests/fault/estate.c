/* Starts the server in a process group of its own, finds its processes by that group in /proc, and
 * asks its owner by hubbub-ctl, HTTP and connections. The functions for wait_until leave in
 * estate->why what they found wrong. */
#include "tests/fault/estate.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/fault/interruption.h"

#define OPTION_SIZE 192
#define OPTIONS_MAX 16
#define PASSED 50 /* the lowest file descriptor of a socket that is passed to the server */

static bool __attribute__((format(printf, 2, 3)))
fail(struct estate *estate, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(estate->why, sizeof estate->why, format, arguments);
	va_end(arguments);
	return false;
}

/* ---- what it is started with ---- */

struct options {
	char text[OPTIONS_MAX][OPTION_SIZE];
	int count;
};

static void __attribute__((format(printf, 2, 3)))
add(struct options *options, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(options->text[options->count++], OPTION_SIZE, format, arguments);
	va_end(arguments);
}

static bool
has_tls(const struct estate_options *wanted)
{
	return wanted->transport == TRANSPORT_TLS || wanted->transport == TRANSPORT_TLS_UNIX;
}

static void
write_options(const struct estate *estate, struct options *options)
{
	const struct estate_options *wanted = &estate->options;

	*options = (struct options){.count = 0};
	add(options, "-p2");
	add(options, "-t2");
	add(options, "--admin=127.0.0.1:%d", estate->server.admin);
	add(options, "--control=%s", estate->server.control);
	add(options, "--listen=127.0.0.1:%d", estate->targets[0].port);
	add(options, "--pidfile=%s", estate->pidfile);
	add(options, "--drain-timeout=%d", wanted->drain != 0 ? wanted->drain : ESTATE_DRAIN);
	for (unsigned i = 1; i < estate->target_count; i++)
		if (estate->targets[i].path != NULL)
			add(options, "--listen=unix:%s", estate->path);
		else
			add(options, "--listen=udp:127.0.0.1:%d", estate->targets[i].port);
	if (wanted->is_passed)
		add(options, "--listen=127.0.0.1:%d", estate->target.port);
	if (wanted->has_background)
		add(options, "--turns=%s", estate->turns);
	if (wanted->more != NULL)
		add(options, "%s", wanted->more);
	if (wanted->transport == TRANSPORT_PROXY)
		add(options, "--proxy-protocol=on");
	if (!has_tls(wanted))
		return;
	if (wanted->transport == TRANSPORT_TLS_UNIX)
		add(options, "--tls-unix=on");
	add(options, "--tls-cert=%s", estate->certificate.file);
	add(options, "--tls-key=%s", estate->certificate.key);
}

/* A listening socket as a service manager makes it, and a script that passes it to the server. */
static bool
make_activation(struct estate *estate)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons((uint16_t)estate->target.port)};
	int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	FILE *file;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
	if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 1024) != 0)
		return false;
	/* The server inherits it. */
	estate->passed = fcntl(fd, F_DUPFD, PASSED);
	close(fd);
	snprintf(estate->script, sizeof estate->script, "%s/activated", estate->folder);
	file = fopen(estate->script, "we");
	if (file == NULL)
		return false;
	fprintf(file,
		"#!/bin/bash\nexport LISTEN_PID=$$ LISTEN_FDS=1\nexec %s \"$@\" 3<&%d %d<&-\n",
		program_path("hubbub-echo"), estate->passed, estate->passed);
	return fclose(file) == 0 && chmod(estate->script, 0700) == 0;
}

static void
choose_targets(struct estate *estate)
{
	enum transport wanted = estate->options.transport;

	estate->targets[estate->target_count++] =
		(struct target){.transport = has_tls(&estate->options)   ? TRANSPORT_TLS
					     : wanted == TRANSPORT_PROXY ? wanted
									 : TRANSPORT_TCP,
			.port = server_lasting_port()};
	/* Datagrams have no connection to begin with a header; a client of the Unix socket must
	 * send one, too. */
	if (wanted != TRANSPORT_PROXY) {
		estate->targets[estate->target_count++] = (struct target){
			.transport = wanted == TRANSPORT_TLS_UNIX ? wanted : TRANSPORT_UNIX,
			.path = estate->path};
		estate->targets[estate->target_count++] =
			(struct target){.transport = TRANSPORT_UDP, .port = server_lasting_port()};
	}
	for (unsigned i = 0; i < estate->target_count; i++)
		if (estate->targets[i].transport == wanted)
			estate->target = estate->targets[i];
	if (estate->options.is_passed)
		estate->target.port = server_lasting_port();
}

/* ---- its life ---- */

static bool
prepare(struct estate *estate, const struct estate_options *options)
{
	*estate = (struct estate){.options = *options, .passed = -1};
	if (!folder_make(estate->folder))
		return fail(estate, "no folder");
	snprintf(estate->server.control, sizeof estate->server.control, "%s/control",
		estate->folder);
	snprintf(estate->pidfile, sizeof estate->pidfile, "%s/pid", estate->folder);
	snprintf(estate->turns, sizeof estate->turns, "%s/turns", estate->folder);
	snprintf(estate->path, sizeof estate->path, "%s/path", estate->folder);
	snprintf(estate->interrupted, sizeof estate->interrupted, "%s/interrupted", estate->folder);
	estate->server.admin = server_lasting_port();
	choose_targets(estate);
	if (options->is_passed && !make_activation(estate))
		return fail(estate, "no socket to pass");
	return !has_tls(options) || certificate_make(&estate->certificate) ||
	       fail(estate, "no certificate");
}

/* Returns whether the server is ready. */
static bool
launch(struct estate *estate, struct program *program)
{
	char *argv[OPTIONS_MAX + 2] = {
		program_path(estate->options.has_background ? "turns" : "hubbub-echo")};
	struct options options;

	if (estate->options.is_passed)
		argv[0] = estate->script;
	write_options(estate, &options);
	for (int i = 0; i < options.count; i++)
		argv[1 + i] = options.text[i];
	return program_start(program, argv, 0) && program_expect(program, ", pid ", 20);
}

bool
estate_start(struct estate *estate, const struct estate_options *options)
{
	bool has_started;

	if (!prepare(estate, options))
		return false;
	if (options->interruption != NULL)
		interruption_begin(options->interruption, estate->interrupted);
	has_started = launch(estate, &estate->server.program);
	if (options->interruption != NULL)
		interruption_end();
	estate->server.pid = estate->server.program.pid;
	estate->server.program.port = estate->targets[0].port;
	return has_started || fail(estate, "%s", estate->server.program.text);
}

void
estate_clean(struct estate *estate)
{
	if (estate->folder[0] == '\0')
		return;
	/* The process group outlives its leader. */
	program_end(&estate->server.program);
	certificate_clean(&estate->certificate);
	if (estate->passed != -1)
		close(estate->passed);
	folder_remove(estate->folder);
}

/* ---- who owns it ---- */

pid_t
estate_pidfile(const struct estate *estate)
{
	return interruption_pid(estate->pidfile);
}

/* Asks by hubbub-ctl and by HTTP. */
static bool
answers_operators(struct estate *estate)
{
	static char output[PROGRAM_OUTPUT_SIZE];
	char expected[64];

	snprintf(expected, sizeof expected, ", pid %d: serving, ready", (int)estate->server.pid);
	if (server_ctl(&estate->server, "status", NULL, output, sizeof output) != 0 ||
		strstr(output, expected) == NULL)
		return fail(estate, "%s", output);
	if (server_number(&estate->server, "pid") != estate->server.pid)
		return fail(estate, "the admin server is another one's");
	return true;
}

bool
estate_has_owner(void *context)
{
	static const char *const names[] = {"the port", "the Unix socket", "the datagram port"};
	struct estate *estate = context;
	pid_t owner = estate_pidfile(estate);

	if (owner == 0 || kill(owner, 0) != 0)
		return fail(estate, "the pid file names nobody");
	estate->server.pid = owner;
	if (!answers_operators(estate))
		return false;
	for (unsigned i = 0; i < estate->target_count; i++)
		if (!target_answers(&estate->targets[i]))
			return fail(estate, "%s does not answer", names[i]);
	return !estate->options.is_passed || target_answers(&estate->target) ||
	       fail(estate, "the socket that was passed does not answer");
}

/* ---- who is left ---- */

struct process {
	pid_t pid;
	char state;
	pid_t parent;
	pid_t group;
};

static bool
read_process(const char *name, struct process *process)
{
	char path[64], text[512];
	const char *rest;
	size_t length;
	FILE *stream;

	process->pid = atoi(name);
	snprintf(path, sizeof path, "/proc/%d/stat", (int)process->pid);
	stream = process->pid > 0 ? fopen(path, "re") : NULL;
	if (stream == NULL)
		return false;
	length = fread(text, 1, sizeof text - 1, stream);
	text[length] = '\0';
	fclose(stream);
	/* The fields follow the process's name, which may hold any character. */
	rest = strrchr(text, ')');
	return rest != NULL &&
	       sscanf(rest, ") %c %d %d", &process->state, &process->parent, &process->group) == 3;
}

/* Looks for a process of the server that is neither the owner, if owner is not 0, nor its child. */
static bool
find_other(const struct estate *estate, pid_t owner, struct process *other)
{
	pid_t first = estate->server.program.group;
	struct dirent *entry;
	bool is_found = false;
	DIR *folder;

	/* The first master is this process's child. */
	if (first != owner)
		waitpid(first, NULL, WNOHANG);
	folder = opendir("/proc");
	while (folder != NULL && !is_found && (entry = readdir(folder)) != NULL)
		is_found = read_process(entry->d_name, other) && other->group == first &&
			   other->state != 'Z' &&
			   (owner == 0 || (other->pid != owner && other->parent != owner));
	if (folder != NULL)
		closedir(folder);
	return is_found;
}

bool
estate_is_tidy(void *context)
{
	struct estate *estate = context;
	struct process other;

	return !find_other(estate, estate->server.pid, &other) ||
	       fail(estate, "process %d is left, a child of %d, beside the owner %d",
		       (int)other.pid, (int)other.parent, (int)estate->server.pid);
}

bool
estate_is_gone(void *context)
{
	struct estate *estate = context;
	struct process other;

	return !find_other(estate, 0, &other) ||
	       fail(estate, "process %d is left, a child of %d", (int)other.pid, (int)other.parent);
}

/* ---- who is interrupted ---- */

pid_t
estate_interrupted(const struct estate *estate)
{
	pid_t pid = interruption_pid(estate->interrupted);
	struct process process;
	char name[16];

	snprintf(name, sizeof name, "%d", (int)pid);
	/* The new master has given its pid before that. */
	return pid != 0 && read_process(name, &process) && strchr("TZ", process.state) == NULL
		       ? 0
		       : pid;
}

struct attempt {
	const struct estate *estate;
	struct program *ctl;
};

static bool
is_decided(void *context)
{
	const struct attempt *attempt = context;

	return estate_interrupted(attempt->estate) != 0 ||
	       program_expect(attempt->ctl, SERVER_NOT_READY, 0.01);
}

/* On a busy machine a hub may wait so long that it seems to hang; an upgrade is refused until the
 * hub has a heartbeat again. */
pid_t
estate_upgrade(struct estate *estate, struct program *ctl)
{
	char *argv[] = {
		program_path("hubbub-ctl"), "--socket", estate->server.control, "upgrade", NULL};
	struct attempt attempt = {estate, ctl};

	for (int tries = 0; tries < 10; tries++) {
		if (!program_start(ctl, argv, 0))
			return 0;
		wait_until(is_decided, &attempt, 20);
		if (strstr(ctl->text, SERVER_NOT_READY) == NULL)
			break;
		program_end(ctl);
		poll(NULL, 0, 1000);
	}
	return estate_interrupted(estate);
}

/* ---- again ---- */

bool
estate_starts_again(struct estate *estate)
{
	struct program again;
	bool serves = launch(estate, &again) && target_answers(&estate->target);

	if (!serves)
		fail(estate, "%s", again.text);
	program_stop(&again, SIGTERM, 10);
	program_end(&again);
	return serves;
}
