/* hubbub-echo over real sockets: every byte comes back, from many, slow and rude clients. */
#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/client.h"
#include "tests/support/loader.h"
#include "tests/support/program.h"

static struct program server;

static void
start(void)
{
	if (!program_start_echo(&server, "--processes=2", "--threads=2", NULL)) {
		fprintf(stderr, "hubbub-echo does not start: %s\n", server.text);
		_exit(1);
	}
}

static void
end(void)
{
	program_end(&server);
}

TestSuite(echo, .init = start, .fini = end, .timeout = 600);

Test(echo, sends_back_in_upper_case)
{
	int fd = client_connect(server.port);

	cr_assert(client_exchange(fd, "Hello, World! 123 {}\n", "HELLO, WORLD! 123 {}\n"));
	cr_assert(client_exchange(fd, "again", "AGAIN"));
	shutdown(fd, SHUT_WR);
	cr_assert(client_sees_end(fd));
	close(fd);
}

Test(echo, leaves_bytes_that_are_not_letters_alone)
{
	int fd = client_connect(server.port);
	unsigned char sent[256], reply[256];

	for (int i = 0; i < 256; i++)
		sent[i] = (unsigned char)i;
	cr_assert_eq(send(fd, sent, 256, 0), 256);
	cr_assert_eq(recv(fd, reply, 256, MSG_WAITALL), 256);
	for (int i = 0; i < 256; i++)
		cr_assert_eq(reply[i], i >= 'a' && i <= 'z' ? i - 32 : i, "byte %d", i);
	close(fd);
}

Test(echo, its_ready_line_says_where_and_how)
{
	char expected[128];

	snprintf(expected, sizeof expected,
		"ready: 127.0.0.1:%d, 2 processes x 2 threads, pid %d\n", server.port,
		(int)server.pid);
	cr_assert_not_null(strstr(server.text, expected), "%s", server.text);
}

#define MANY_BYTES ((size_t)10 * 1000 * 1000)

static void *
send_many(void *argument)
{
	int fd = *(int *)argument;
	char *bytes = malloc(MANY_BYTES);
	size_t sent = 0;

	for (size_t i = 0; i < MANY_BYTES; i++)
		bytes[i] = (char)('a' + i % 26);
	while (sent < MANY_BYTES) {
		ssize_t length = send(fd, bytes + sent, MANY_BYTES - sent, MSG_NOSIGNAL);

		if (length <= 0)
			break;
		sent += (size_t)length;
	}
	shutdown(fd, SHUT_WR);
	free(bytes);
	return NULL;
}

Test(echo, ten_megabytes_and_a_shutdown_come_back_whole_and_then_end)
{
	int fd = client_connect(server.port);
	static char buffer[1 << 16];
	size_t total = 0, wrong = 0;
	ssize_t length;
	pthread_t sender;

	pthread_create(&sender, NULL, send_many, &fd);
	while ((length = recv(fd, buffer, sizeof buffer, 0)) > 0)
		for (ssize_t i = 0; i < length; i++, total++)
			wrong += buffer[i] != (char)('A' + total % 26);
	pthread_join(sender, NULL);
	cr_assert_eq(length, 0, "%s", strerror(errno));
	cr_assert_eq(total, MANY_BYTES);
	cr_assert_eq(wrong, 0);
	close(fd);
}

Test(echo, a_client_may_write_ten_megabytes_before_it_reads_any)
{
	int fd = client_connect(server.port);
	static char piece[100000];
	size_t total = 0, wrong = 0;
	ssize_t length;

	send_many(&fd);
	while ((length = recv(fd, piece, sizeof piece, 0)) > 0)
		for (ssize_t i = 0; i < length; i++, total++)
			wrong += piece[i] != (char)('A' + total % 26);
	cr_assert_eq(length, 0, "%s", strerror(errno));
	cr_assert_eq(total, MANY_BYTES);
	cr_assert_eq(wrong, 0);
	close(fd);
}

/* Fills a connection until the server takes no more. */
static int
never_read(int port, size_t *sent)
{
	static char bytes[1 << 16];
	int fd = client_connect(port);
	struct pollfd query = {.fd = fd, .events = POLLOUT};

	memset(bytes, 'x', sizeof bytes);
	while (poll(&query, 1, 200) == 1) {
		ssize_t length = send(fd, bytes, sizeof bytes, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (length > 0)
			*sent += (size_t)length;
		else if (errno != EAGAIN)
			break;
	}
	return fd;
}

Test(echo, bad_clients_cost_only_their_own_connection)
{
	int good = client_connect(server.port);
	int silent = client_connect(server.port);
	size_t taken = 0;
	int deaf = never_read(server.port, &taken);
	char garbage[3000];

	/* What the server holds for the connection, and what the kernel holds on both sides. */
	cr_assert_lt(taken, (size_t)100 << 20);

	cr_assert(client_exchange(good, "before", "BEFORE"));
	for (size_t i = 0; i < sizeof garbage; i++)
		garbage[i] = (char)(i * 2654435761U >> 13);
	for (int i = 0; i < 50; i++) {
		int fd = client_connect(server.port);

		cr_assert_neq(fd, -1);
		if (i % 2 == 0)
			cr_assert_gt(send(fd, garbage, sizeof garbage, MSG_NOSIGNAL), 0);
		client_reset(fd);
	}
	cr_assert(client_exchange(good, "after", "AFTER"));
	cr_assert(client_exchange(silent, "i speak at last", "I SPEAK AT LAST"));
	close(good);
	close(silent);
	close(deaf);
	cr_assert_eq(program_stop(&server, SIGTERM, 20), 0, "%s", server.text);
	cr_assert_null(strstr(server.text, " error "), "%s", server.text);
}

Test(echo, five_hundred_connections_of_many_sizes)
{
	static struct loader loader;
	static char *const sets[][3] = {{"1", "500", "5000"}, {"64", "500", "5000"},
		{"1000", "500", "5000"}, {"16384", "50", "500"}, {"100000", "50", "500"}};

	for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
		cr_assert_eq(loader_run(&loader, server.port, "-q", "-s", sets[i][0], "-c",
				     sets[i][1], "-n", sets[i][2], NULL),
			0, "%s", loader.program.text);
		cr_assert_eq(loader_number(&loader, "connections.opened"), atoi(sets[i][1]));
		cr_assert_eq(loader_number(&loader, "load.messages"), atoi(sets[i][2]));
	}
	loader_clean(&loader);
}

Test(echo, every_hub_serves)
{
	pid_t workers[4];

	cr_assert_eq(program_children(server.pid, workers, 4), 2);
	for (int i = 0; i < 2; i++) {
		char path[64];
		int threads = 0;

		snprintf(path, sizeof path, "/proc/%d/status", (int)workers[i]);
		FILE *stream = fopen(path, "r");
		char line[128];

		while (fgets(line, sizeof line, stream) != NULL)
			sscanf(line, "Threads: %d", &threads);
		fclose(stream);
		cr_assert_geq(threads, 2);
	}
}

Test(echo, a_worker_holds_only_what_it_was_given)
{
	pid_t workers[4];
	char command[256];

	cr_assert_eq(program_children(server.pid, workers, 4), 2);
	/* Three standard streams, two listeners with a spare descriptor each, the channel, the
	 * counters, another spare descriptor, the log, and two loops of two descriptors each. */
	snprintf(command, sizeof command, "test $(ls /proc/%d/fd | wc -l) -le 15", (int)workers[0]);
	cr_assert_eq(system(command), 0);
}

Test(echo_options, verbatim_changes_nothing, .timeout = 300)
{
	struct program verbatim;
	int fd;

	cr_assert(program_start_echo(&verbatim, "--reply=verbatim", "-p1", "-t1", NULL), "%s",
		verbatim.text);
	fd = client_connect(verbatim.port);
	cr_assert(client_exchange(fd, "Hello, World", "Hello, World"));
	close(fd);
	cr_assert_eq(program_stop(&verbatim, SIGTERM, 20), 0);
	program_end(&verbatim);
}

Test(echo_options, several_addresses_the_poll_backend_pinned, .timeout = 300)
{
	struct program program;
	int fd;

	cr_assert(program_start_echo(&program, "--listen=127.0.0.2:0", "--backend=poll", "--pin",
			  "--stack-size=32K", "-p1", "-t2", NULL),
		"%s", program.text);
	cr_assert_not_null(strstr(program.text, ", 127.0.0.2:"));
	fd = client_connect(program.port);
	cr_assert(client_exchange(fd, "hello", "HELLO"));
	close(fd);
	cr_assert_eq(program_stop(&program, SIGTERM, 20), 0);
	program_end(&program);
}

Test(echo_options, an_argument_file_and_a_pid_file, .timeout = 300)
{
	char arguments[] = "/tmp/hubbub-arguments-XXXXXX", pidfile[] = "/tmp/hubbub-pid-XXXXXX";
	char at[64], option[64], line[32] = "";
	struct program program;
	int fd = mkstemp(arguments);
	FILE *stream;

	close(mkstemp(pidfile));
	snprintf(option, sizeof option, "--pidfile=%s", pidfile);
	snprintf(at, sizeof at, "@%s", arguments);
	cr_assert_gt(dprintf(fd, "# two lines\n-p1\n%s\n", option), 0);
	close(fd);
	cr_assert(program_start_echo(&program, at, "-t1", NULL), "%s", program.text);
	stream = fopen(pidfile, "r");
	cr_assert_not_null(fgets(line, sizeof line, stream));
	fclose(stream);
	cr_assert_eq(atoi(line), program.pid);
	cr_assert_eq(program_stop(&program, SIGTERM, 20), 0);
	cr_assert_neq(access(pidfile, F_OK), 0, "the pid file is left");
	unlink(arguments);
	program_end(&program);
}
