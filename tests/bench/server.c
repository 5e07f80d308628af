#include "tests/bench/server.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "tests/load/run/run.h"
#include "tests/support/client.h"

#define SERVER_CPU 0
#define CLIENT_CPU 1
#define READY_SECONDS 10

static void
pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof set, &set) != 0)
		perror("sched_setaffinity");
}

static bool
answers(void *port)
{
	int fd = client_connect(*(int *)port);

	if (fd != -1)
		close(fd);
	return fd != -1;
}

bool
bench_server_start(struct bench_server *server, char *const argv[], int port)
{
	char *own[16], *ready;
	bool is_ready;
	int count = 0;

	for (; argv[count] != NULL && count < 15; count++)
		own[count] = argv[count];
	own[count] = NULL;
	if (strchr(own[0], '/') == NULL)
		own[0] = program_path(own[0]);
	/* The affinity is inherited by all that it forks. */
	pin(SERVER_CPU);
	is_ready = program_start(&server->program, own, 0);
	pin(CLIENT_CPU);
	if (is_ready && port == 0)
		is_ready = program_expect(&server->program, "ready: ", READY_SECONDS) &&
			   (ready = strstr(server->program.text, "ready: ")) != NULL &&
			   sscanf(ready, "ready: 127.0.0.1:%d", &server->program.port) == 1;
	else if (is_ready)
		is_ready = wait_until(answers, &port, READY_SECONDS);
	if (port != 0)
		server->program.port = port;
	if (!is_ready) {
		fprintf(stderr, "%s does not start: %s\n", server->name, server->program.text);
		return false;
	}
	family_find(&server->family, server->program.pid);
	return true;
}

void
bench_server_end(struct bench_server *server)
{
	if (server->program.pid > 0)
		program_end(&server->program);
}

/* A load as the command line would make it. */
static struct load
load_for(const struct bench_server *server, unsigned connections, size_t size, double seconds)
{
	static struct requests none;
	struct load load = {.depth = server->depth > 0 ? server->depth : 1,
		.connections = connections,
		.threads = 1,
		.processes = 1,
		.connect_rate = 1e6,
		.connect_timeout = 5 * CLOCK_SECOND,
		.churn = size == 0 ? 0 : -1,
		.close = size == 0 ? LOAD_CLOSE_RST : LOAD_CLOSE_FIN,
		.lifetime = LOAD_NEVER,
		.sizes = {.low = size == 0 ? 64 : (uint32_t)size},
		.framing = MESSAGE_LINE,
		.requests = &none,
		.max_inflight = 1,
		.timeout = 10 * CLOCK_SECOND,
		.deadline = LOAD_NEVER,
		.nodelay = true,
		.seed = 1,
		.duration = (int64_t)(seconds * 1e9),
		.repeat = 1,
		.interval = 3600 * CLOCK_SECOND,
		.max_lag = 3600 * CLOCK_SECOND,
		.cpus = {CLIENT_CPU},
		.cpu_count = 1};
	struct sockaddr_in *address = (struct sockaddr_in *)(void *)&load.targets[0].socket;

	address->sin_family = AF_INET;
	address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	address->sin_port = htons((uint16_t)server->program.port);
	load.targets[0].length = sizeof *address;
	address_format(&load.targets[0], load.target_text[0]);
	load.target_count = 1;
	return load;
}

static double
seconds_at(const struct result *result, double share)
{
	return (double)histogram_quantile(&result->total.response, share) / 1e9;
}

bool
bench_server_measure(struct bench_server *server, unsigned connections, size_t size, double seconds,
	struct bench_sample *sample)
{
	struct load load = load_for(server, connections, size, seconds);
	double before = family_cpu(&server->family), messages;
	struct result *result = run_load(&load, NULL);
	char errors[256];
	bool is_well;

	if (result == NULL)
		return false;
	is_well = result->code == LOAD_DONE && result->total.tally.received > 0;
	if (!is_well)
		fprintf(stderr, "%s: %s: %s%s%s%s\n", server->name, result_verdict(result),
			result_errors(&result->total, errors, sizeof errors), result->trouble,
			result->offence, result->reason_count > 0 ? result->reasons[0] : "");
	/* What came after the end costs CPU too. */
	messages = (double)(size == 0 ? result->total.connect.count : result->total.tally.checked);
	*sample = (struct bench_sample){measurement_rate(&result->total), seconds_at(result, 0.5),
		seconds_at(result, 0.99), seconds_at(result, 0.999),
		messages > 0 ? (family_cpu(&server->family) - before) / messages : 0};
	result_free(result);
	return is_well;
}

/* Opens as many connections as fds has room for, and ends them. Returns the server's memory while
 * they are idle, or -1. */
static double
memory_with(const struct bench_server *server, int *fds, unsigned connections)
{
	double memory = -1;
	unsigned count = 0;

	/* Each has exchanged a line: a connection that was never used may have no buffers yet. */
	for (; count < connections; count++) {
		fds[count] = client_connect(server->program.port);
		if (fds[count] == -1 || !client_exchange(fds[count], "HELLO\n", "HELLO\n"))
			break;
	}
	if (count == connections)
		memory = family_memory(&server->family, "Private_Dirty");
	for (unsigned i = 0; i < count; i++)
		close(fds[i]);
	return memory;
}

bool
bench_server_idle_memory(
	struct bench_server *server, unsigned connections, struct bench_memory *memory)
{
	int *fds = calloc(connections, sizeof *fds);
	double before = family_memory(&server->family, "Private_Dirty"), first, second;

	if (fds == NULL)
		return false;
	first = memory_with(server, fds, connections);
	usleep(200000); /* until it has seen their ends */
	second = memory_with(server, fds, connections);
	free(fds);
	*memory = (struct bench_memory){
		(first - before) / connections, (second - before) / connections};
	return first >= 0 && second >= 0;
}
