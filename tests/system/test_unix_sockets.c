/* Unix sockets: through changes, after a kill, when their files are removed, and whose they are. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "tests/support/certificate.h"
#include "tests/support/client.h"
#include "tests/support/folder.h"
#include "tests/support/loader.h"
#include "tests/support/server.h"
#include "tests/support/witness.h"

static struct server server;
static struct loader loader;
static struct witness witness;
static struct certificate certificate;
static char folder[FOLDER_SIZE];
/* Where the server listens; and as its option. */
static char path[FOLDER_SIZE + 16], option[FOLDER_SIZE + 64];

static void
end(void)
{
	loader_clean(&loader);
	server_clean(&server);
	certificate_clean(&certificate);
	folder_remove(folder);
}

TestSuite(unix_sockets, .fini = end, .timeout = 600);

static void
choose_path(void)
{
	cr_assert(folder_make(folder));
	snprintf(path, sizeof path, "%s/echo.sock", folder);
	snprintf(option, sizeof option, "--listen=unix:%s", path);
}

static void
begin_witness(enum transport transport)
{
	witness = (struct witness){.target = {transport, 0, path},
		.lasting = 20,
		.pause = 0.05,
		.rate = 50,
		.limit = 10 * CLOCK_SECOND};
	witness_start(&witness);
}

/* Former workers go on draining when the upgrade is done. */
static void
change_without_loss(void)
{
	cr_assert_eq(server_ctl(&server, "reload", NULL, NULL, 0), 0);
	cr_assert_eq(server_ctl(&server, "upgrade", NULL, NULL, 0), 0);
	poll(NULL, 0, 2000);
	witness_stop(&witness);
	cr_assert_eq(witness_failures(&witness), 0, "%s", witness_text(&witness));
}

Test(unix_sockets, a_path)
{
	struct program other;
	char *argv[] = {NULL, option, "--control=/dev/null/none", NULL};
	int fd;

	choose_path();
	cr_assert(server_start(&server, "hubbub-echo", "2", "2", option, NULL), "%s",
		server.program.text);
	fd = client_connect_path(path);
	cr_assert(client_exchange(fd, "hello", "HELLO"));
	/* A user who may enter the directory may connect. */
	cr_assert_eq(access(path, R_OK | W_OK), 0);
	begin_witness(TRANSPORT_UNIX);
	change_without_loss();
	/* A second server is told that the first one has the socket. */
	argv[0] = program_path("hubbub-echo");
	cr_assert(program_start(&other, argv, 0));
	cr_assert_eq(program_wait(&other, 20), 1);
	cr_assert_not_null(strstr(other.text, "another hubbub server has it"), "%s", other.text);
	program_end(&other);
	/* At the end no client can queue any more, but queued ones are served. */
	cr_assert_eq(access(path, F_OK), 0);
	server_ctl(&server, "drain", NULL, NULL, 0);
	cr_assert_eq(access(path, F_OK), -1);
	close(fd);
}

Test(unix_sockets, a_path_is_left_by_a_kill_and_taken_again)
{
	int fd;

	choose_path();
	cr_assert(server_start(&server, "hubbub-echo", "1", "1", option, NULL));
	program_stop(&server.program, SIGKILL, 10);
	server_clean(&server);
	cr_assert_eq(access(path, F_OK), 0);
	cr_assert(server_start(&server, "hubbub-echo", "1", "1", option, NULL), "%s",
		server.program.text);
	fd = client_connect_path(path);
	cr_assert(client_exchange(fd, "hello", "HELLO"));
	close(fd);
}

Test(unix_sockets, a_path_that_somebody_removes_is_told_of)
{
	static const char said[] = "is not this server's socket any more";

	choose_path();
	cr_assert(server_start(&server, "hubbub-echo", "1", "1", option, NULL));
	cr_assert_eq(unlink(path), 0);
	cr_assert(program_expect(&server.program, said, 20), "%s", server.program.text);
	/* The warning comes once, and again only when a reload changes it. */
	program_expect(&server.program, "never", 1.5);
	cr_assert_null(
		strstr(strstr(server.program.text, said) + 1, said), "%s", server.program.text);
	cr_assert_eq(server_ctl(&server, "reload", NULL, NULL, 0), 0);
	program_expect(&server.program, "never", 0.2);
	cr_assert_not_null(
		strstr(strstr(server.program.text, said) + 1, said), "%s", server.program.text);
	cr_assert_eq(server_end(&server, 20), 0);
}

/* However its path is spelled, a Unix socket is one server's; and a server does not remove a path
 * that another has taken meanwhile. */
Test(unix_sockets, a_path_has_one_owner)
{
	struct program other;
	char *argv[] = {NULL, option, "--control=/dev/null/none", NULL};
	int fd;

	choose_path();
	cr_assert(server_start(&server, "hubbub-echo", "1", "1", option, NULL));
	argv[0] = program_path("hubbub-echo");
	snprintf(option, sizeof option, "--listen=unix:%s/./echo.sock", folder);
	cr_assert(program_start(&other, argv, 0));
	cr_assert_eq(program_wait(&other, 20), 1);
	program_end(&other);
	cr_assert_eq(unlink(path), 0);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	close(fd);
	cr_assert_eq(server_end(&server, 20), 0);
	cr_assert_eq(access(path, F_OK), 0);
}

/* ---- with TLS ---- */

static int
load_tls(void)
{
	return loader_run(&loader, 0, "--tls", certificate.ca_option, "-n2000", "--churn=20",
		option + strlen("--listen="), NULL);
}

Test(unix_sockets, with_tls_through_changes_kills_and_the_end)
{
	cr_assert(certificate_make(&certificate));
	choose_path();
	cr_assert(server_start(&server, "hubbub-echo", "2", "2", option, certificate.cert_option,
			  certificate.key_option, "--tls-unix=on", NULL),
		"%s", server.program.text);
	begin_witness(TRANSPORT_TLS_UNIX);
	change_without_loss();
	server_signal_worker(&server, 0, SIGKILL);
	cr_assert_eq(load_tls(), 0, "%s", loader.program.text);
	cr_assert_eq(server_number(&server, "totals.refused"), 0);
	/* Without TLS nobody is served. */
	cr_assert_neq(loader_run(&loader, 0, "-n10", option + strlen("--listen="), NULL), 0);
	cr_assert_gt(server_number(&server, "totals.refused"), 0);
	/* The end of the server is an end of the stream, not a cut. */
	begin_witness(TRANSPORT_TLS_UNIX);
	cr_assert_eq(server_end(&server, 60), 0);
	witness_stop(&witness);
	cr_assert_eq(witness.result.reset + witness.result.wrong, 0, "%s", witness_text(&witness));
}

Test(unix_sockets, are_plain_beside_tls_unless_they_are_to_have_it)
{
	struct program other;
	char *argv[] = {program_path("hubbub-echo"), "--listen=127.0.0.1:0", "--tls-unix=on",
		"--check", NULL};
	int fd;

	cr_assert(certificate_make(&certificate));
	choose_path();
	cr_assert(server_start(&server, "hubbub-echo", "1", "1", option, "--listen=127.0.0.1:0",
		certificate.cert_option, certificate.key_option, NULL));
	fd = client_connect_path(path);
	cr_assert(client_exchange(fd, "hello", "HELLO"));
	close(fd);
	cr_assert(program_start(&other, argv, 0));
	cr_assert_eq(program_wait(&other, 20), 2);
	cr_assert_not_null(strstr(other.text, "--tls-unix: needs"), "%s", other.text);
	program_end(&other);
}
