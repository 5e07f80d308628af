/* Of claim.c: whoever gets little CPU. */
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "master/sockets/claim.h"
#include "tests/support/nap.h"

#define STARVED 8

TestSuite(claim_starved, .timeout = 60);

/* A socket that is bound and does not listen, so that nobody can be seen. */
static int
occupy(struct address *address)
{
	struct address addresses[ADDRESSES_MAX];
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	const char *why;

	cr_assert_eq(address_parse("127.0.0.1:0", addresses, &why), 1);
	*address = addresses[0];
	cr_assert_eq(bind(fd, (struct sockaddr *)&address->socket, address->length), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&address->socket, &address->length), 0);
	return fd;
}

/* Those that are stopped while they look for the holder have no time left when they have looked. */
Test(claim_starved, an_address_is_tried_again_after_a_long_look)
{
	struct address address;
	int fd = occupy(&address), status;
	pid_t starved[STARVED];

	for (int i = 0; i < STARVED; i++) {
		starved[i] = fork();
		if (starved[i] == 0) {
			close(fd);
			_exit(claim_probe(&address) == 0 ? 0 : 1);
		}
	}
	nap(0.3);
	for (int i = 0; i < STARVED; i++)
		kill(starved[i], SIGSTOP);
	nap(2.5);
	close(fd);
	for (int i = 0; i < STARVED; i++)
		kill(starved[i], SIGCONT);
	for (int i = 0; i < STARVED; i++) {
		cr_assert_eq(waitpid(starved[i], &status, 0), starved[i]);
		cr_assert_eq(status, 0, "process %d has given up", i);
	}
}
