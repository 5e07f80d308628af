/* Each check_ function compares one limit with what the load needs, and says what it found with the
 * command that lifts the limit. Before a run only limits that will bite are said, and nothing is
 * sent; the command `check` prints all of them, and exchanges a message with each target. */
#include "tests/load/run/preflight.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "hub/hub.h"
#include "master/start/cpus.h"
#include "tests/load/ask/machine.h"
#include "tests/load/ask/target.h"
#include "tests/load/drive/exchange.h"
#include "tests/load/drive/message.h"
#include "tests/load/drive/proxy_header.h"

#define PORT_SECONDS 60 /* seconds that a closed connection keeps its port (TIME_WAIT) */

struct findings {
	unsigned warnings;
	unsigned errors; /* limits that prevent the load */
	bool is_run;     /* a run follows: only warnings and errors, on stderr */
};

static void __attribute__((format(printf, 3, 4)))
say(struct findings *findings, char mark, const char *format, ...)
{
	static const char *const marks[] = {"ok     ", "warning", "ERROR  "};
	va_list arguments;

	FILE *stream = findings->is_run ? stderr : stdout;

	findings->warnings += mark == 'w';
	findings->errors += mark == 'e';
	if (findings->is_run && mark == 'o')
		return;
	if (findings->is_run)
		fprintf(stream, "hubbub-load: warning: ");
	else
		fprintf(stream, "  %s  ", marks[mark == 'w' ? 1 : mark == 'e' ? 2 : 0]);
	va_start(arguments, format);
	vfprintf(stream, format, arguments);
	va_end(arguments);
	fputc('\n', stream);
}

static double
all_connections(const struct load *load)
{
	return (double)load->connections + load->idle;
}

/* Writes the command that lifts the limit on open files, with one that raises fs.nr_open, the limit
 * of limits, if that is lower. Returns text. */
static const char *
lift_files(double files, char *text, size_t size)
{
	double most[3];

	if (machine_read("fs/nr_open", most) >= 1 && most[0] < files)
		snprintf(text, size, "sysctl -w fs.nr_open=%.0f (it is %.0f), ulimit -n %.0f",
			files, most[0], files);
	else
		snprintf(text, size, "ulimit -n %.0f", files);
	return text;
}

static void
check_files(const struct load *load, struct findings *findings)
{
	double files = (double)machine_raise_files();
	double each = ceil(all_connections(load) / load->processes);
	char lift[128];

	if (each + 64 > files)
		say(findings, 'e',
			"open files: %.0f connections in each of %u process%s, but the limit is "
			"%.0f; use --processes=%.0f, or lift it: %s",
			each, load->processes, load->processes == 1 ? "" : "es", files,
			ceil(all_connections(load) / (files - 64)),
			lift_files(each + 64, lift, sizeof lift));
	else
		say(findings, 'o', "open files: %.0f of %.0f in each of %u process%s", each + 64,
			files, load->processes, load->processes == 1 ? "" : "es");
	/* Before a run the number of the server's processes is not known. */
	if (all_connections(load) + 64 > files && !findings->is_run)
		say(findings, 'w',
			"the server, too, needs %.0f open files in all; with a limit of %.0f each, "
			"it needs %.0f processes",
			all_connections(load), files, ceil(all_connections(load) / (files - 64)));
}

/* How many ports connections that --churn closed hold at the same time, at most; 0: not known. */
static double
churned_ports(const struct load *load)
{
	double seconds = fmin(PORT_SECONDS, (double)(load->warmup + load->duration) / 1e9);
	double rate = fmax(load->rate.from, load->rate.to) / fmax(1, (double)load->churn);

	return load->is_open && load->duration != LOAD_NEVER ? rate * seconds : 0;
}

/* Whether the load has TCP or UDP targets, which take ports, and the kernel's memory for TCP. */
static bool
has_ports(const struct load *load)
{
	for (unsigned i = 0; i < load->target_count; i++)
		if (load->targets[i].kind != ADDRESS_UNIX)
			return true;
	return false;
}

static void
check_ports(const struct load *load, struct findings *findings)
{
	double ports = machine_ports(), addresses = load->source_count > 0 ? load->source_count : 1;
	double room = ports * addresses * load->target_count;

	if (all_connections(load) > room)
		say(findings, 'e',
			"ports: %.0f connections, but %.0f source addresses have only %.0f; add "
			"--source, or: sysctl -w net.ipv4.ip_local_port_range='1024 65535'",
			all_connections(load), addresses, room);
	else
		say(findings, 'o', "ports: %.0f from %.0f source address%s", room, addresses,
			addresses > 1 ? "es" : "");
	if (load->churn >= 0 && load->close == LOAD_CLOSE_FIN &&
		(!findings->is_run || churned_ports(load) > room))
		say(findings, 'w',
			"ports: with --churn each closed connection keeps its port for %d s, so at "
			"most %.0f a second last; use --close=rst, more --source addresses, or: "
			"sysctl -w net.ipv4.tcp_tw_reuse=1",
			PORT_SECONDS, room / PORT_SECONDS);
}

static void
check_backlog(const struct load *load, struct findings *findings)
{
	double somaxconn[3], syn[3];
	double burst = fmin(load->connect_rate / 10, all_connections(load));

	if (machine_read("net/core/somaxconn", somaxconn) < 1 ||
		machine_read("net/ipv4/tcp_max_syn_backlog", syn) < 1)
		return;
	if (somaxconn[0] < burst)
		say(findings, 'w',
			"backlog: %.0f connections in 0.1 s, but the server's queue is cut to "
			"%.0f; use a "
			"lower --connect-rate, or: sysctl -w net.core.somaxconn=%.0f",
			burst, somaxconn[0], burst);
	else
		say(findings, 'o', "backlog: somaxconn %.0f, tcp_max_syn_backlog %.0f",
			somaxconn[0], syn[0]);
}

static void
check_memory(const struct load *load, struct findings *findings)
{
	double pages[3];
	/* On loopback a connection is two sockets; count a page of buffers for each. */
	double need = all_connections(load) * 2 * 4096 / (double)sysconf(_SC_PAGESIZE);

	if (machine_read("net/ipv4/tcp_mem", pages) < 3)
		return;
	if (need > pages[1])
		say(findings, 'w',
			"TCP memory: may need %.0f pages, pressure begins at %.0f: sysctl -w "
			"net.ipv4.tcp_mem='%.0f %.0f %.0f'",
			need, pages[1], need, need * 2, need * 3);
	else
		say(findings, 'o', "TCP memory: up to %.0f pages of %.0f", need, pages[1]);
}

static void
check_conntrack(const struct load *load, struct findings *findings)
{
	double max[3], count[3] = {0};

	if (machine_read("net/netfilter/nf_conntrack_max", max) < 1)
		return;
	machine_read("net/netfilter/nf_conntrack_count", count);
	if (count[0] + all_connections(load) > max[0])
		say(findings, 'w',
			"connection tracking: %.0f entries in use, %.0f allowed: sysctl -w "
			"net.netfilter.nf_conntrack_max=%.0f",
			count[0], max[0], 2 * (count[0] + all_connections(load)));
	else
		say(findings, 'o', "connection tracking: %.0f of %.0f entries", count[0], max[0]);
}

static void
check_cpus(const struct load *load, struct findings *findings)
{
	unsigned cpus = cpus_allowed(), threads = load->processes * load->threads;
	char governor[32] = "";
	FILE *file = fopen("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "re");

	if (file != NULL) {
		if (fscanf(file, "%31s", governor) != 1)
			governor[0] = '\0';
		fclose(file);
	}
	if (threads >= cpus && cpus > 1)
		say(findings, 'w',
			"CPUs: %u generator threads and %u CPUs leave none to a server on this "
			"machine",
			threads, cpus);
	else
		say(findings, 'o', "CPUs: %u generator thread%s, %u CPUs", threads,
			threads > 1 ? "s" : "", cpus);
	if (strcmp(governor, "powersave") == 0)
		say(findings, 'w',
			"the CPUs save power, which delays messages: cpupower "
			"frequency-set -g performance");
}

/* ---- the server ---- */

/* One exchange with a target, and what came of it. */
struct question {
	const struct load *load;
	unsigned target;
	int64_t took;               /* nanoseconds, from connect to the reply */
	char why[ANSWER_TEXT_SIZE]; /* what went wrong; empty: nothing */
};

static void __attribute__((format(printf, 2, 3)))
answer(struct question *question, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(question->why, sizeof question->why, format, arguments);
	va_end(arguments);
}

/* Connects within --connect-timeout, with a PROXY header and TLS if asked for. Returns whether
 * it did. */
static bool
reach(struct question *question, int fd)
{
	const struct load *load = question->load;
	const struct address *target = &load->targets[question->target];
	struct hub_timeout scope;
	bool is_reached;

	hub_timeout_start(&scope, load->connect_timeout);
	is_reached = hub_connect(fd, (const struct sockaddr *)&target->socket, target->length) == 0;
	if (!is_reached)
		answer(question, "%s%s", strerror(errno), target_hint(errno));
	else if (proxy_header_send(load, fd, target, 0) != 0) {
		is_reached = false;
		answer(question, "no PROXY header can be sent: %s", strerror(errno));
	}
	if (is_reached && load->tls != NULL) {
		is_reached = hub_tls_connect(
				     fd, load->tls, target_tls_name(load, question->target)) == 0;
		if (!is_reached)
			answer(question, "no TLS: %s", target_why_no_tls(errno));
	}
	hub_timeout_stop(&scope);
	return is_reached;
}

/* Exchanges a message whose reply is no echo. */
static void
ask_otherwise(struct question *question, int fd, const struct message *message)
{
	struct answer_fault fault;

	switch (exchange_message(question->load, fd, message, &fault)) {
	case ANSWER_RIGHT:
		break;
	case ANSWER_REFUSED:
		answer(question, "the service refuses the request");
		break;
	case ANSWER_WRONG:
		answer(question, "%s", fault.text);
		break;
	case ANSWER_GOES_ON:
		answer(question, "%s",
			errno == 0           ? "the server closed the connection"
			: errno == ETIMEDOUT ? "no complete reply in time"
					     : strerror(errno));
	}
}

static void
converse(struct question *question, int fd)
{
	const struct load *load = question->load;
	char bytes[256];
	struct message message = message_probe(load, 1, 0, sizeof bytes);
	struct hub_timeout scope;
	ssize_t received = -1;
	uint32_t same;

	if (load->reply.kind != REPLY_ECHO) {
		ask_otherwise(question, fd, &message);
		return;
	}
	message_write(&message, 0, bytes, message.length);
	hub_timeout_start(&scope, load->timeout);
	if (hub_send(fd, bytes, message.length, 0) == (ssize_t)message.length)
		received = hub_recv(fd, bytes, message.length, MSG_WAITALL);
	if (received < 0)
		answer(question, "%s",
			errno == ETIMEDOUT ? "no reply in time: is it an echo? (else see --request "
					     "and --reply)"
					   : strerror(errno));
	else if (received < (ssize_t)message.length)
		answer(question, "the server closed the connection");
	hub_timeout_stop(&scope);
	if (question->why[0] != '\0')
		return;
	same = message_compare(&message, 0, bytes, message.length);
	if (same < message.length)
		answer(question,
			"byte %u of the reply is not what was sent: is it an echo? (else see "
			"--reply)",
			same);
}

/* The body of a coroutine: connects and exchanges one verified message. */
static void *
ask(void *argument)
{
	struct question *question = argument;
	const struct address *target = &question->load->targets[question->target];
	int64_t began = clock_now();
	int fd = hub_socket(target->socket.ss_family,
		target->kind == ADDRESS_UDP ? SOCK_DGRAM : SOCK_STREAM, 0);

	if (fd == -1) {
		answer(question, "%s", strerror(errno));
		return NULL;
	}
	if (reach(question, fd))
		converse(question, fd);
	question->took = clock_now() - began;
	hub_close(fd);
	return NULL;
}

static void
check_server(const struct load *load, struct findings *findings)
{
	for (unsigned i = 0; i < load->target_count; i++) {
		struct question question = {.load = load, .target = i};
		char text[UNITS_TEXT_SIZE];

		if (hub_run(ask, &question, NULL) != 0)
			answer(&question, "%s", strerror(errno));
		if (question.why[0] != '\0')
			say(findings, 'e', "%s: %s", load->target_text[i], question.why);
		else
			say(findings, 'o', "%s: connected, one message %s and verified, in %s",
				load->target_text[i],
				load->reply.kind == REPLY_ECHO ? "echoed" : "answered",
				units_write_time(text, question.took, UNITS_AUTO));
	}
}

/* Checks the kernel's limits. */
static void
check_limits(const struct load *load, struct findings *findings)
{
	check_files(load, findings);
	if (has_ports(load))
		check_ports(load, findings);
	check_backlog(load, findings);
	if (!has_ports(load))
		return;
	check_memory(load, findings);
	check_conntrack(load, findings);
}

void
preflight_warn(const struct load *load)
{
	struct findings findings = {.is_run = true};

	check_limits(load, &findings);
}

int
preflight_check(struct load *load)
{
	struct findings findings = {0};

	message_setup(load->seed, load->framing, load->verify, load->requests);
	printf("%.0f connections (%u active, %u idle) from %u generator process%s x %u thread%s\n",
		all_connections(load), load->connections, load->idle, load->processes,
		load->processes == 1 ? "" : "es", load->threads, load->threads == 1 ? "" : "s");
	check_limits(load, &findings);
	check_cpus(load, &findings);
	check_server(load, &findings);
	if (findings.errors == 0)
		printf("ready%s\n", findings.warnings > 0 ? ", with warnings" : "");
	else
		printf("not ready: %u error%s\n", findings.errors, findings.errors > 1 ? "s" : "");
	return findings.errors == 0 ? LOAD_DONE : LOAD_FAILED;
}
