/* The server is asked only as an operator can ask it: by hubbub-ctl over its control socket, by
 * HTTP, and by the kernel's socket diagnostics. Ports are chosen below the kernel's ephemeral
 * range, and claimed among concurrent tests by an abstract Unix socket that lives as long as the
 * test's process. */
#include "tests/support/server.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hub/base/check.h"
#include "hub/base/clock.h"
#include "tests/support/client.h"
#include "tests/support/folder.h"

/* Claims a port among the processes of all tests, until this process ends: another test must not
 * choose it between the check that it is free and the server's bind. */
static bool
claim_port(int port)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int length = snprintf(
		address.sun_path + 1, sizeof address.sun_path - 1, "hubbub-test/port/%d", port);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd != -1 &&
		bind(fd, (struct sockaddr *)&address,
			offsetof(struct sockaddr_un, sun_path) + 1 + (socklen_t)length) == 0)
		return true;
	if (fd != -1)
		close(fd);
	return false;
}

static bool
is_free(int port, int type)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	bool is_bound;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	is_bound = bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
	close(fd);
	return is_bound;
}

/* The range is below the kernel's ephemeral ports. */
int
server_lasting_port(void)
{
	FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
	int first = 32768;

	if (file != NULL) {
		if (fscanf(file, "%d", &first) != 1)
			first = 32768;
		fclose(file);
	}
	if (first < 2048)
		first = 32768; /* the ephemeral range is everything; take its upper part */
	for (;;) {
		unsigned some;
		int port;

		if (getrandom(&some, sizeof some, 0) != sizeof some)
			some = (unsigned)clock_now();
		port = first - 1 - (int)(some % (unsigned)first / 2);
		if (claim_port(port) && is_free(port, SOCK_STREAM) && is_free(port, SOCK_DGRAM))
			return port;
	}
}

bool
server_make_folder(struct server *server)
{
	if (!folder_make(server->folder))
		return false;
	snprintf(server->control, sizeof server->control, "%s/control", server->folder);
	return true;
}

bool
server_start(
	struct server *server, const char *name, const char *processes, const char *threads, ...)
{
	char admin[64], control[160], p[16], t[16];
	char listen[64];
	char *argv[64] = {program_path(name), listen, p, t, admin, control};
	int count = 6;
	const char *ready;
	va_list more;

	*server = (struct server){.admin = server_lasting_port()};
	if (!server_make_folder(server))
		return false;
	snprintf(listen, sizeof listen, "--listen=127.0.0.1:%d", server_lasting_port());
	snprintf(p, sizeof p, "-p%s", processes);
	snprintf(t, sizeof t, "-t%s", threads);
	snprintf(admin, sizeof admin, "--admin=127.0.0.1:%d", server->admin);
	snprintf(control, sizeof control, "--control=%s", server->control);
	va_start(more, threads);
	while (count < 63 && (argv[count] = va_arg(more, char *)) != NULL)
		count++;
	va_end(more);
	if (!program_start(&server->program, argv, 0) ||
		!program_expect(&server->program, "ready: ", 20) ||
		!program_expect(&server->program, ", pid ", 5))
		return false;
	server->pid = server->program.pid;
	ready = strstr(server->program.text, "ready: ");
	return sscanf(ready, "ready: 127.0.0.1:%d", &server->program.port) == 1;
}

int
server_port(const struct server *server, const char *address)
{
	const char *ready = strstr(server->program.text, "ready: ");
	const char *own = ready != NULL ? strstr(ready, address) : NULL;
	int port = 0;

	return own != NULL && sscanf(own + strlen(address), "%d", &port) == 1 ? port : 0;
}

/* Asks the kernel for all listening TCP sockets. Returns the fd on which it answers, or -1. */
static int
ask_for_listeners(void)
{
	struct {
		struct nlmsghdr head;
		struct inet_diag_req_v2 body;
	} query = {
		.head = {.nlmsg_len = sizeof query,
			.nlmsg_type = SOCK_DIAG_BY_FAMILY,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
		.body = {.sdiag_family = AF_INET,
			.sdiag_protocol = IPPROTO_TCP,
			.idiag_states = 1 << TCP_LISTEN},
	};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);

	if (fd != -1 && send(fd, &query, sizeof query, 0) == sizeof query)
		return fd;
	if (fd != -1)
		close(fd);
	return -1;
}

int
server_queues(int port, int length, int *with_length)
{
	_Alignas(struct nlmsghdr) char answer[32 * 1024];
	int fd = ask_for_listeners(), count = fd != -1 ? 0 : -1;
	bool is_over = fd == -1;

	*with_length = 0;
	while (!is_over) {
		ssize_t got = recv(fd, answer, sizeof answer, 0);
		const struct nlmsghdr *head = (const struct nlmsghdr *)answer;

		is_over = got <= 0;
		for (; !is_over && NLMSG_OK(head, (size_t)got); head = NLMSG_NEXT(head, got)) {
			const struct inet_diag_msg *listener = NLMSG_DATA(head);

			is_over = head->nlmsg_type != SOCK_DIAG_BY_FAMILY;
			if (is_over || listener->id.idiag_sport != htons((uint16_t)port))
				continue;
			count++;
			*with_length += listener->idiag_wqueue == (uint32_t)length;
		}
	}
	if (fd != -1)
		close(fd);
	return count;
}

/* ---- hubbub-ctl ---- */

int
server_ctl(
	struct server *server, const char *command, const char *argument, char *output, size_t size)
{
	char *argv[] = {program_path("hubbub-ctl"), "--socket", server->control,
		(char *)(uintptr_t)command, (char *)(uintptr_t)argument, NULL};
	int64_t end = clock_now() + (int64_t)program_patience(20) * CLOCK_SECOND;
	struct program ctl;
	bool is_ready = false;
	int code = -1;

	while (!is_ready && program_start(&ctl, argv, 0)) {
		code = program_wait(&ctl, 60);
		is_ready = strstr(ctl.text, SERVER_NOT_READY) == NULL || clock_now() > end;
		if (output != NULL)
			snprintf(output, size, "%s", ctl.text);
		program_end(&ctl);
		if (!is_ready)
			poll(NULL, 0, 200);
	}
	return code;
}

/* ---- HTTP ---- */

char *
server_get(struct server *server, const char *path, int *code)
{
	int fd = client_connect(server->admin);
	size_t length = 0, room = 1 << 20;
	char request[256], *answer = malloc(room + 1), *body;
	ssize_t received;

	*code = 0;
	if (fd == -1 || answer == NULL) {
		free(answer);
		return NULL;
	}
	/* On a machine busy with sanitized processes the master may wait long for its turn. */
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){120, 0}, sizeof(struct timeval));
	snprintf(request, sizeof request,
		"GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", path);
	if (send(fd, request, strlen(request), MSG_NOSIGNAL) < 0)
		room = 0;
	while (length < room && (received = recv(fd, answer + length, room - length, 0)) > 0)
		length += (size_t)received;
	close(fd);
	answer[length] = '\0';
	if (sscanf(answer, "HTTP/1.1 %d", code) != 1 ||
		(body = strstr(answer, "\r\n\r\n")) == NULL) {
		free(answer);
		return NULL;
	}
	memmove(answer, body + 4, strlen(body + 4) + 1);
	return answer;
}

json_t *
server_stats(struct server *server)
{
	int code;
	char *text = server_get(server, "/stats.json", &code);
	json_t *state = text != NULL ? json_loads(text, 0, NULL) : NULL;

	free(text);
	return state;
}

long
server_number(struct server *server, const char *key)
{
	json_t *state = server_stats(server), *object = state;
	const char *dot = strchr(key, '.');
	long number;

	if (dot != NULL)
		object = json_object_get(state, "totals");
	number = (long)json_integer_value(json_object_get(object, dot != NULL ? dot + 1 : key));
	json_decref(state);
	return number;
}

pid_t
server_worker(struct server *server, unsigned worker)
{
	json_t *state = server_stats(server);
	const json_t *entry = json_array_get(json_object_get(state, "workers"), worker);
	pid_t pid = (pid_t)json_integer_value(json_object_get(entry, "pid"));

	json_decref(state);
	return pid;
}

void
server_signal_worker(struct server *server, unsigned worker, int number)
{
	int64_t end = clock_now() + (int64_t)program_patience(20) * CLOCK_SECOND;
	pid_t pid;

	while ((pid = server_worker(server, worker)) <= 0 && clock_now() < end)
		poll(NULL, 0, 10);
	/* 0 would be this process's own group. */
	CHECK(pid > 0);
	kill(pid, number);
}

bool
server_is_ready(const json_t *stats, unsigned worker)
{
	const json_t *known = json_array_get(json_object_get(stats, "workers"), worker);
	const char *state = json_string_value(json_object_get(known, "state"));

	return state != NULL && strcmp(state, "ready") == 0;
}

long
server_hub(struct server *server, unsigned worker, unsigned hub, const char *key)
{
	json_t *state = server_stats(server);
	const json_t *hubs =
		json_object_get(json_array_get(json_object_get(state, "workers"), worker), "hubs");
	const json_t *value = json_object_get(json_array_get(hubs, hub), key);
	long number = json_is_boolean(value) ? json_is_true(value) : (long)json_number_value(value);

	json_decref(state);
	return number;
}

/* ---- the end ---- */

static bool
is_reaped(void *pid)
{
	return kill(*(pid_t *)pid, 0) != 0;
}

int
server_end(struct server *server, double seconds)
{
	if (server->pid == server->program.pid)
		return program_stop(&server->program, SIGTERM, seconds);
	/* The master that took over in an upgrade is not this process's child: it can be polled,
	 * not awaited. */
	kill(server->pid, SIGTERM);
	return wait_until(is_reaped, &server->pid, seconds) ? 0 : -1;
}

void
server_clean(struct server *server)
{
	if (server->folder[0] == '\0')
		return;
	if (server->pid > 0 && server->pid != server->program.pid)
		kill(server->pid, SIGKILL);
	program_end(&server->program);
	folder_remove(server->folder);
}
