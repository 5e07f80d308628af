/* Slow and flooding clients on every port that a server opens. Meanwhile another client is served,
 * the probes answer, and so does hubbub-ctl. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/certificate.h"
#include "tests/support/client.h"
#include "tests/support/nap.h"
#include "tests/support/server.h"

#define CLIENTS 100 /* clients of one attack */
#define PATIENCE 20 /* seconds for an answer to another client */

static struct server server;
static struct certificate certificate;
static char path[128];
static pid_t attacker;

static void
stop_attacker(void)
{
	if (attacker > 0) {
		kill(attacker, SIGKILL);
		waitpid(attacker, NULL, 0);
	}
	attacker = 0;
}

static void
end(void)
{
	stop_attacker();
	server_clean(&server);
	certificate_clean(&certificate);
}

TestSuite(flood, .fini = end, .timeout = 1200);

/* ---- ports ---- */

enum port { PORT_TCP, PORT_TLS, PORT_UNIX, PORT_UDP, PORT_ADMIN, PORT_AGENT, PORT_CONTROL, PORTS };

static const char *const names[PORTS] = {"TCP", "TLS", "Unix", "UDP", "admin", "agent", "control"};
static int numbers[PORTS];

static int
connect_to(enum port port)
{
	if (port == PORT_UNIX)
		return client_connect_path(path);
	if (port == PORT_CONTROL)
		return client_connect_path(server.control);
	if (port == PORT_UDP)
		return client_connect_udp(numbers[port]);
	return client_connect(numbers[port]);
}

static void
start(bool has_tls)
{
	char listen[160], agent[64];

	numbers[PORT_AGENT] = server_lasting_port();
	snprintf(path, sizeof path, "%s/socket", certificate.folder);
	snprintf(listen, sizeof listen, "--listen=unix:%s", path);
	snprintf(agent, sizeof agent, "--agent=127.0.0.1:%d", numbers[PORT_AGENT]);
	cr_assert(server_start(&server, "hubbub-echo", "2", "1", listen, "--listen=udp:127.0.0.1:0",
			  agent, has_tls ? certificate.cert_option : NULL, certificate.key_option,
			  NULL),
		"%s", server.program.text);
	numbers[has_tls ? PORT_TLS : PORT_TCP] = server.program.port;
	numbers[PORT_UDP] = server_port(&server, "udp:127.0.0.1:");
	numbers[PORT_ADMIN] = server.admin;
	cr_assert_gt(numbers[PORT_UDP], 0);
}

/* ---- attacks ---- */

/* Keeps the connections by a byte now and then. */
static void
be_slow(const int *fds)
{
	for (int i = 0; i < CLIENTS; i++)
		if (fds[i] != -1)
			send(fds[i], "G", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	nap(0.1);
}

/* Sends as much as the server takes, and reads nothing. */
static void
flood(enum port port, int *fds)
{
	static char bytes[16384];

	memset(bytes, 'x', sizeof bytes);
	for (int i = 0; i < CLIENTS; i++) {
		if (fds[i] == -1)
			fds[i] = connect_to(port);
		else if (send(fds[i], bytes, sizeof bytes, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 &&
			 errno != EAGAIN && errno != ENOBUFS && errno != ECONNREFUSED) {
			close(fds[i]);
			fds[i] = -1;
		}
	}
	/* Leaves some CPU time to the server. */
	nap(0.001);
}

static void
attack(enum port port, bool is_slow)
{
	int fds[CLIENTS];

	attacker = fork();
	if (attacker != 0)
		return;
	for (int i = 0; i < CLIENTS; i++)
		fds[i] = connect_to(port);
	while (true)
		if (is_slow)
			be_slow(fds);
		else
			flood(port, fds);
}

/* ---- what goes on ---- */

static bool
is_served(void *unused)
{
	(void)unused;
	return client_is_answered(client_connect_path(path), "flood", "FLOOD");
}

static bool
is_live(void *unused)
{
	int code = 0;

	(void)unused;
	free(server_get(&server, "/livez", &code));
	return code == 200;
}

static bool
is_commanded(void *unused)
{
	(void)unused;
	return server_ctl(&server, "status", NULL, NULL, 0) == 0;
}

static void
assert_goes_on(enum port port, const char *attack)
{
	for (int i = 0; i < 3; i++) {
		cr_assert(wait_until(is_served, NULL, PATIENCE), "%s, %s: a client is not served",
			names[port], attack);
		cr_assert(wait_until(is_live, NULL, PATIENCE), "%s, %s: the probe does not answer",
			names[port], attack);
		cr_assert(wait_until(is_commanded, NULL, PATIENCE),
			"%s, %s: hubbub-ctl is not answered", names[port], attack);
		nap(0.3);
	}
}

/* A second server, because TLS holds for all TCP ports of a server. */
static void
attack_all(bool is_slow)
{
	cr_assert(certificate_make(&certificate));
	for (int has_tls = 0; has_tls < 2; has_tls++) {
		start(has_tls != 0);
		for (enum port port = 0; port < PORTS; port++) {
			if ((port == PORT_TLS) != (has_tls != 0))
				continue;
			attack(port, is_slow);
			assert_goes_on(port, is_slow ? "slow" : "flooding");
			stop_attacker();
		}
		cr_assert_eq(server_number(&server, "totals.respawns"), 0);
		server_clean(&server);
	}
}

Test(flood, slow_clients_of_each_port_hold_nobody_else)
{
	attack_all(true);
}

Test(flood, flooding_clients_of_each_port_hold_nobody_else)
{
	attack_all(false);
}
