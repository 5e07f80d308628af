/* Accepting from a socket that others accept from, too: another process that blocks, another hub,
 * and acceptors that are killed. Connecting twice. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hub/patch/patch.h"
#include "tests/support/in_hub.h"
#include "tests/support/trace.h"
#include "tests/unit/hub/patch/loopback.h"

#define CLIENTS 400
#define PATIENCE_MS 20000

struct shared {
	int listener;
	atomic_int accepted; /* by the process, this thread and the other one */
	atomic_int refused;  /* errno of an accept of the process's that failed, or 0 */
	atomic_bool is_over;
	int kills;
	/* The outcome. */
	int answered;
	int status;
	int timed_out;
};

static void
answer(struct shared *shared, int client)
{
	atomic_fetch_add(&shared->accepted, 1);
	if (write(client, "x", 1) == 1)
		close(client);
}

/* Another process, which knows nothing of hubs. */
static _Noreturn void
accept_plainly(struct shared *shared)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		int client = accept(shared->listener, NULL, NULL);

		if (client == -1) {
			atomic_store(&shared->refused, errno);
			_exit(1);
		}
		answer(shared, client);
	}
}

static void *
accept_here(void *argument)
{
	struct shared *shared = argument;
	int client;

	while ((client = accept(shared->listener, NULL, NULL)) >= 0)
		answer(shared, client);
	return NULL;
}

static void *
accept_there(void *argument)
{
	struct shared *shared = argument;

	while (!shared->is_over) {
		struct pollfd one = {shared->listener, POLLIN, 0};
		int client = poll(&one, 1, 5) == 1 ? accept(shared->listener, NULL, NULL) : -1;

		if (client >= 0)
			answer(shared, client);
		else if (client == -1 && one.revents != 0 && errno != EAGAIN)
			break;
	}
	return NULL;
}

static void *
run_another_hub(void *argument)
{
	hub_run(accept_there, argument, NULL);
	return NULL;
}

/* There is always one, which is killed every few milliseconds. */
static void *
keep_killing(void *argument)
{
	struct shared *shared = argument;

	while (!shared->is_over) {
		struct hub_coroutine *acceptor = hub_spawn(accept_here, shared);

		hub_sleep(3 * HUB_MILLISECOND);
		hub_kill(acceptor);
		hub_join(acceptor, NULL);
		shared->kills++;
	}
	return NULL;
}

/* Connects, and is answered. */
static int
be_client(int listener)
{
	struct sockaddr_in address;
	socklen_t size = sizeof address;
	struct pollfd one = {.fd = socket(AF_INET, SOCK_STREAM, 0), .events = POLLIN};
	char byte;
	int answered;

	getsockname(listener, (struct sockaddr *)&address, &size);
	answered = connect(one.fd, (struct sockaddr *)&address, size) == 0 &&
		   poll(&one, 1, PATIENCE_MS) == 1 && read(one.fd, &byte, 1) == 1;
	close(one.fd);
	return answered;
}

static void *
share(void *argument)
{
	struct shared *shared = argument;
	struct hub_coroutine *killer;
	pthread_t thread;
	pid_t child;

	shared->listener = loopback_listen();
	child = fork();
	if (child == 0)
		accept_plainly(shared);
	killer = hub_spawn(keep_killing, shared);
	pthread_create(&thread, NULL, run_another_hub, shared);
	for (int i = 0; i < CLIENTS; i++)
		shared->answered += be_client(shared->listener);
	shared->is_over = true;
	kill(child, SIGKILL);
	waitpid(child, &shared->status, 0);
	/* Who came too late for the last one waits for another. */
	shutdown(shared->listener, SHUT_RDWR);
	hub_join(killer, NULL);
	pthread_join(thread, NULL);
	close(shared->listener);
	return NULL;
}

static struct shared *
make_shared(void)
{
	return mmap(NULL, sizeof(struct shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		-1, 0);
}

TestSuite(connection, .timeout = 120);

Test(connection, a_listener_may_be_shared_with_a_process_that_blocks)
{
	struct shared *shared = make_shared();

	hub_patch_all();
	in_hub(share, shared);
	cr_expect_eq(shared->refused, 0, "its accept fails: %d", shared->refused);
	cr_expect(WIFSIGNALED(shared->status));
	cr_expect_eq(shared->answered, CLIENTS, "%d of %d are answered", shared->answered, CLIENTS);
	cr_expect_eq(shared->accepted, CLIENTS);
	cr_expect_gt(shared->kills, 0);
}

/* ---- timeouts ---- */

static void *
time_out(void *argument)
{
	struct shared *shared = argument;
	struct timeval soon = {0, 20000};

	shared->listener = loopback_listen();
	setsockopt(shared->listener, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon);
	shared->timed_out = accept(shared->listener, NULL, NULL) == -1 && errno == EAGAIN;
	return NULL;
}

static void *
time_out_plainly(void *argument)
{
	struct shared *shared = argument;

	shared->timed_out += accept(shared->listener, NULL, NULL) == -1 && errno == EAGAIN;
	return NULL;
}

static void *
time_out_twice(void *argument)
{
	struct shared *shared = argument;
	pthread_t thread;

	time_out(shared);
	pthread_create(&thread, NULL, time_out_plainly, shared);
	pthread_join(thread, NULL);
	close(shared->listener);
	return NULL;
}

Test(connection, the_sockets_timeout_holds_for_all)
{
	struct shared *shared = make_shared();

	hub_patch_all();
	in_hub(time_out_twice, shared);
	cr_expect_eq(shared->timed_out, 2, "%d", shared->timed_out);
}

/* ---- what cannot be accepted from ---- */

static const struct {
	const char *name;
	int domain, type;
	bool is_connected;
	int flags, error;
} cases[] = {
	{"a socket that does not listen", AF_INET, SOCK_STREAM, false, 0, EINVAL},
	{"a connected one", AF_UNIX, SOCK_STREAM, true, 0, EINVAL},
	{"datagrams", AF_INET, SOCK_DGRAM, false, 0, EOPNOTSUPP},
	{"flags that are none", AF_INET, SOCK_STREAM, false, 1 << 30, EINVAL},
};
#define CASES (sizeof cases / sizeof cases[0])

static void *
accept_wrongly(void *argument)
{
	int *errors = argument;

	for (size_t i = 0; i < CASES; i++) {
		int ends[2] = {-1, -1};

		if (cases[i].is_connected)
			socketpair(cases[i].domain, cases[i].type, 0, ends);
		else
			ends[0] = socket(cases[i].domain, cases[i].type, 0);
		if (cases[i].flags != 0)
			listen(ends[0], 1);
		errors[i] = accept4(ends[0], NULL, NULL, cases[i].flags) == -1 ? errno : 0;
		close(ends[0]);
		if (ends[1] != -1)
			close(ends[1]);
	}
	return NULL;
}

Test(connection, what_accepts_nothing_is_told_as_the_kernel_tells_it)
{
	int errors[CASES] = {0};

	hub_patch_all();
	in_hub(accept_wrongly, errors);
	for (size_t i = 0; i < CASES; i++)
		cr_expect_eq(errors[i], cases[i].error, "%s: %d", cases[i].name, errors[i]);
}

/* ---- connecting twice ---- */

static void *
connect_twice(void *argument)
{
	struct sockaddr_in address;
	socklen_t size = sizeof address;
	int listener = loopback_listen(), fd = socket(AF_INET, SOCK_STREAM, 0);

	getsockname(listener, (struct sockaddr *)&address, &size);
	trace_call("connect", connect(fd, (struct sockaddr *)&address, size));
	trace_call("again", connect(fd, (struct sockaddr *)&address, size));
	close(fd);
	close(listener);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	trace_call("connect", connect(fd, (struct sockaddr *)&address, size));
	trace_call("again", connect(fd, (struct sockaddr *)&address, size));
	trace_call("O_NONBLOCK", fcntl(fd, F_GETFL) & O_NONBLOCK);
	close(fd);
	return argument;
}

Test(connection, connecting_twice_tells_the_same_as_without_patching)
{
	hub_patch_all();
	in_hub(connect_twice, NULL);
	EXPECT_TRACE("connect 0, again EISCONN, connect ECONNREFUSED, again ECONNREFUSED, "
		     "O_NONBLOCK 0");
}
