#include "master/sockets/port_owner.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/folder.h"
#include "worker/counters.h"

static char text[PORT_OWNER_TEXT_SIZE];

static struct address
parsed(const char *written)
{
	struct address addresses[ADDRESSES_MAX];
	const char *why;

	cr_assert_geq(address_parse(written, addresses, &why), 1, "%s", written);
	return addresses[0];
}

/* Takes what is written, and tells which port it got. */
static int
take(const char *written, struct address *address)
{
	int fd;

	*address = parsed(written);
	fd = socket(address->socket.ss_family,
		(address->kind == ADDRESS_UDP ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
	cr_assert_neq(fd, -1, "%s", written);
	cr_assert_eq(
		bind(fd, (struct sockaddr *)&address->socket, address->length), 0, "%s", written);
	if (address->kind != ADDRESS_UDP)
		cr_assert_eq(listen(fd, 1), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&address->socket, &address->length), 0);
	return fd;
}

/* Nobody is named. An orphan that is about to close its sockets may be about: another test's. */
static void
assert_nobody(const struct address *address)
{
	cr_assert_neq(port_owner_find(address, text), PORT_OWNER_OTHER, "%s", text);
}

static void
assert_found(const struct address *address, const char *what)
{
	char own[32];

	snprintf(own, sizeof own, "pid %d (", (int)getpid());
	cr_assert_eq(port_owner_find(address, text), PORT_OWNER_OTHER, "%s: %s", what, text);
	cr_assert_eq(strncmp(text, own, strlen(own)), 0, "%s: %s", what, text);
}

Test(port_owner, who_listens_is_named)
{
	static const char *const written[] = {
		"127.0.0.1:0", "[::1]:0", ":0", "udp:127.0.0.1:0", "udp:[::1]:0", "udp::0"};

	for (size_t i = 0; i < sizeof written / sizeof written[0]; i++) {
		struct address address;
		int fd = take(written[i], &address);

		assert_found(&address, written[i]);
		close(fd);
		assert_nobody(&address);
		cr_assert_str_eq(text, "another process");
	}
}

/* One address is in the way of all addresses, and the other way round; another address, or another
 * protocol, is not. */
Test(port_owner, only_who_is_in_the_way_is_meant)
{
	struct address held, wanted;
	int fd = take("127.0.0.2:0", &held);

	wanted = parsed(":0");
	address_set_port(&wanted, address_port(&held));
	assert_found(&wanted, "all");
	wanted = parsed("127.0.0.3:0");
	address_set_port(&wanted, address_port(&held));
	assert_nobody(&wanted);
	wanted = parsed("udp:127.0.0.2:0");
	address_set_port(&wanted, address_port(&held));
	assert_nobody(&wanted);
	wanted = held;
	address_set_port(&wanted, address_port(&held) - 1);
	assert_nobody(&wanted);
	close(fd);
	fd = take("0.0.0.0:0", &held);
	wanted = parsed("127.0.0.3:0");
	address_set_port(&wanted, address_port(&held));
	assert_found(&wanted, "one of all");
	close(fd);
}

Test(port_owner, a_connection_on_the_port_is_none)
{
	struct address address;
	int listener = take("127.0.0.1:0", &address), client = socket(AF_INET, SOCK_STREAM, 0);
	int fd;

	cr_assert_eq(connect(client, (struct sockaddr *)&address.socket, address.length), 0);
	fd = accept(listener, NULL, NULL);
	close(listener);
	assert_nobody(&address);
	close(client);
	close(fd);
}

Test(port_owner, of_a_path_too)
{
	char folder[FOLDER_SIZE], written[FOLDER_SIZE + 16];
	struct address address;
	int fd;

	cr_assert(folder_make(folder));
	snprintf(written, sizeof written, "unix:%s/socket", folder);
	fd = take(written, &address);
	assert_found(&address, written);
	close(fd);
	assert_nobody(&address);
	folder_remove(folder);
}

/* Starts a process that locks count bytes of the file, and waits until it has. */
static pid_t
start_locker(int file, off_t first, off_t count)
{
	struct flock range = {.l_type = F_WRLCK, .l_start = first, .l_len = count};
	int pair[2];
	pid_t pid;
	char byte;

	cr_assert_eq(pipe(pair), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		byte = fcntl(file, F_SETLK, &range) == 0 ? 'y' : 'n';
		if (write(pair[1], &byte, 1) == 1)
			pause();
		_exit(0);
	}
	cr_assert_eq(read(pair[0], &byte, 1), 1);
	cr_assert_eq(byte, 'y');
	close(pair[0]);
	close(pair[1]);
	return pid;
}

static void
end_locker(pid_t pid)
{
	kill(pid, SIGKILL);
	cr_assert_eq(waitpid(pid, NULL, 0), pid);
}

/* A process with counters to which no master holds a right is a worker of a dead master; if a
 * master holds one, it belongs to a server. */
Test(port_owner, a_worker_of_a_dead_master_is_told_apart, .timeout = 20)
{
	struct address address;
	int fd = take("127.0.0.1:0", &address), file = memfd_create(COUNTERS_NAME, 0);
	pid_t master;

	cr_assert_eq(port_owner_find(&address, text), PORT_OWNER_ORPHAN, "%s", text);
	master = start_locker(file, COUNTERS_ROWS, 1);
	cr_assert_eq(port_owner_find(&address, text), PORT_OWNER_OTHER, "%s", text);
	end_locker(master);
	cr_assert_eq(port_owner_find(&address, text), PORT_OWNER_ORPHAN, "%s", text);
	close(fd);
	close(file);
}

/* After an upgrade two masters share the counters: rows 0 and 1, and 4 and 5, are the former
 * master's, which drains; rows 2 and 3 the new master's. */
Test(port_owner, a_worker_of_a_dead_master_is_told_apart_while_a_former_master_lives, .timeout = 20)
{
	struct address address;
	int file = memfd_create(COUNTERS_NAME, 0), fd;
	pid_t former = start_locker(file, COUNTERS_ROWS, 2);
	pid_t others = start_locker(file, COUNTERS_ROWS + 4, 2);
	pid_t workers[] = {start_locker(file, 0, 2), start_locker(file, 4, 2)};
	pid_t master = start_locker(file, COUNTERS_ROWS + 2, 2), worker;

	fd = take("127.0.0.1:0", &address);
	worker = start_locker(file, 2, 2);
	/* The worker alone holds the address. */
	close(fd);
	cr_assert_eq(port_owner_find(&address, text), PORT_OWNER_OTHER, "%s", text);
	end_locker(master);
	cr_assert_eq(port_owner_find(&address, text), PORT_OWNER_ORPHAN, "%s", text);
	end_locker(worker);
	for (int i = 0; i < 2; i++)
		end_locker(workers[i]);
	end_locker(others);
	end_locker(former);
	close(file);
}
