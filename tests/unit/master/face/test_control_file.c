#include "master/face/control_file.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/complaint.h"
#include "tests/support/folder.h"
#include "tests/support/in_hub.h"

static char folder[FOLDER_SIZE], path[FOLDER_SIZE + 16];
static const struct privileges same_user;

static void
start(void)
{
	cr_assert(folder_make(folder));
	snprintf(path, sizeof path, "%s/control", folder);
}

static void
end(void)
{
	folder_remove(folder);
}

TestSuite(control_file, .init = start, .fini = end, .timeout = 30);

/* ---- its name ---- */

static const struct hubbub_service service = {.name = "named"};

/* What the control socket of a server with these addresses is called; in a process of another user,
 * whose folder is this test's. */
static const char *
name_of(const char *first, const char *second)
{
	static char name[MASTER_PATH_SIZE];
	struct address ones[ADDRESSES_MAX], others[ADDRESSES_MAX], both[2];
	struct master master = {.service = &service};
	const char *why;
	int ends[2];
	ssize_t length;
	pid_t child;

	cr_assert_geq(address_parse(first, ones, &why), 1);
	cr_assert_geq(address_parse(second != NULL ? second : first, others, &why), 1);
	both[0] = ones[0];
	both[1] = others[0];
	master.sockets.addresses = both;
	master.sockets.address_count = second != NULL ? 2 : 1;
	cr_assert_eq(pipe(ends), 0);
	child = fork();
	if (child == 0) {
		char chosen[MASTER_PATH_SIZE] = "";

		setenv("XDG_RUNTIME_DIR", folder, 1);
		if (geteuid() == 0 && setuid(65534) != 0)
			_exit(1);
		_exit(control_file_choose(&master, chosen) &&
					write(ends[1], chosen, sizeof chosen) == sizeof chosen
				? 0
				: 1);
	}
	close(ends[1]);
	length = read(ends[0], name, sizeof name);
	close(ends[0]);
	waitpid(child, NULL, 0);
	cr_assert_eq(length, sizeof name, "%s", first);
	cr_assert_eq(strncmp(name, folder, strlen(folder)), 0, "%s", name);
	return name + strlen(folder) + 1;
}

Test(control_file, is_named_by_the_port_and_by_an_address_that_others_may_share_it_with)
{
	static const struct {
		const char *first;
		const char *second;
		const char *name;
	} cases[] = {
		{":9090", NULL, "named-9090.sock"},
		{"0.0.0.0:9090", NULL, "named-9090.sock"},
		{"127.0.0.1:9090", NULL, "named-9090.sock"},
		{"127.0.0.1:9090", "127.0.0.2:9091", "named-9090.sock"},
		{"127.0.0.2:9090", NULL, "named-127.0.0.2-9090.sock"},
		{"[::1]:9090", NULL, "named-::1-9090.sock"},
		{"udp:127.0.0.1:9090", NULL, "named-udp-9090.sock"},
		{"udp:10.0.0.1:9090", NULL, "named-udp-10.0.0.1-9090.sock"},
		{"unix:/a/b", ":9090", "named-9090.sock"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		cr_assert_str_eq(name_of(cases[i].first, cases[i].second), cases[i].name);
}

Test(control_file, of_a_server_with_paths_alone_is_named_by_the_first)
{
	char first[MASTER_PATH_SIZE];
	unsigned number;
	char end_of_it[8];

	snprintf(first, sizeof first, "%s", name_of("unix:/no/such/a.sock", NULL));
	cr_assert_eq(sscanf(first, "named-unix-%8u.%4s", &number, end_of_it), 2, "%s", first);
	cr_assert_str_eq(end_of_it, "sock");
	cr_assert_str_neq(name_of("unix:/no/such/b.sock", NULL), first);
	cr_assert_str_eq(name_of("unix:/no/such/a.sock", "unix:/no/such/b.sock"), first);
}

/* ---- making it ---- */

static int
listen_there(void)
{
	struct path_identity file;

	return control_file_listen(path, &same_user, &file);
}

/* A socket at a path in the folder on which nobody listens. */
static void
leave_dead(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(address.sun_path, sizeof address.sun_path, "%s/%s", folder, name);
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	/* It is of whoever looks: see name_of. */
	if (geteuid() == 0)
		cr_assert_eq(chown(address.sun_path, 65534, 65534), 0);
	close(fd);
}

Test(control_file, is_its_owners_alone_and_is_known_by_what_it_is)
{
	struct path_identity file;
	int before = open_descriptors(), fd = control_file_listen(path, &same_user, &file);
	struct stat status;

	cr_assert_neq(fd, -1);
	cr_assert(path_identity_is(&file, path));
	cr_assert_eq(stat(path, &status), 0);
	cr_assert_eq(status.st_mode & 0777, 0600);
	unlink(path);
	cr_assert_not(path_identity_is(&file, path));
	close(open(path, O_WRONLY | O_CREAT, 0600));
	cr_assert_not(path_identity_is(&file, path), "that is another file");
	close(fd);
	cr_assert_eq(open_descriptors(), before);
}

Test(control_file, of_the_dead_is_taken_and_of_the_living_is_not)
{
	int first, before = open_descriptors();

	leave_dead("control");
	complaint_listen();
	first = listen_there();
	complaint_heard();
	cr_assert_neq(first, -1, "%s", strerror(errno));
	cr_assert_eq(listen_there(), -1);
	cr_assert_eq(errno, EADDRINUSE);
	close(first);
	unlink(path);
	close(open(path, O_WRONLY | O_CREAT, 0600));
	cr_assert_eq(listen_there(), -1, "what is no socket is not removed");
	cr_assert_eq(errno, EADDRINUSE);
	cr_assert_eq(open_descriptors(), before);
}

Test(control_file, in_no_folder_cannot_be_made)
{
	snprintf(path, sizeof path, "%s/none/control", folder);
	cr_assert_eq(listen_there(), -1);
	cr_assert_eq(errno, ENOENT);
}

Test(control_file, what_killed_servers_of_the_name_left_is_swept_away)
{
	static const char *const names[] = {"named-9090.sock", "named-unix-1.sock", "other-1.sock",
		"named-1.txt", "named.sock"};
	char living[FOLDER_SIZE + 24];
	struct path_identity file;
	int fd;

	cr_assert_eq(chmod(folder, 0777), 0);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		leave_dead(names[i]);
	snprintf(living, sizeof living, "%s/named-2.sock", folder);
	fd = control_file_listen(living, &same_user, &file);
	name_of(":80", NULL);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, names[i]);
		cr_assert_eq(access(path, F_OK) == 0, i >= 2, "%s", names[i]);
	}
	cr_assert_eq(access(living, F_OK), 0);
	close(fd);
}
