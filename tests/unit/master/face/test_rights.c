#include "master/face/rights.h"

#include <criterion/criterion.h>
#include <grp.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/folder.h"

/* Nobody's on this machine. */
#define OPERATOR 54321
#define STRANGER 54322
#define SERVER 54323
#define GROUP 54324

static char folder[FOLDER_SIZE], path[FOLDER_SIZE + 16];
static int listener;

static void
start(void)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};

	cr_assert(folder_make(folder));
	snprintf(path, sizeof path, "%s/control", folder);
	snprintf(name.sun_path, sizeof name.sun_path, "%s", path);
	cr_assert_eq(chmod(folder, 0755), 0);
	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	cr_assert_eq(bind(listener, (struct sockaddr *)&name, sizeof name), 0);
	cr_assert_eq(listen(listener, 8), 0);
}

static void
end(void)
{
	close(listener);
	folder_remove(folder);
}

TestSuite(rights, .init = start, .fini = end, .timeout = 30);

/* What somebody may ask for of a server of the user SERVER, of that primary group and one more; -1
 * if the kernel lets nobody through. */
static int
rights_of(uid_t user, gid_t group, gid_t other)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int fd, status, rights = -1;
	pid_t child = fork();

	snprintf(name.sun_path, sizeof name.sun_path, "%s", path);
	if (child == 0) {
		fd = socket(AF_UNIX, SOCK_STREAM, 0);
		_exit(setgroups(1, &other) != 0 || setgid(group) != 0 || setuid(user) != 0 ||
			connect(fd, (struct sockaddr *)&name, sizeof name) != 0);
	}
	waitpid(child, &status, 0);
	if (status != 0)
		return -1;
	fd = accept(listener, NULL, NULL);
	cr_assert_eq(seteuid(SERVER), 0);
	rights = (int)rights_of_peer(fd, path);
	cr_assert_eq(seteuid(0), 0);
	close(fd);
	return rights;
}

static void
let(mode_t mode, gid_t group)
{
	cr_assert_eq(chown(path, SERVER, group), 0);
	cr_assert_eq(chmod(path, mode), 0);
}

Test(rights, are_the_users_roots_and_some_the_groups)
{
	if (geteuid() != 0)
		cr_skip("needs root");
	let(0660, GROUP);
	cr_assert_eq(rights_of(0, 0, 0), RIGHTS_ALL);
	cr_assert_eq(rights_of(SERVER, STRANGER, STRANGER), RIGHTS_ALL);
	cr_assert_eq(rights_of(OPERATOR, GROUP, STRANGER), RIGHTS_OPERATE);
	cr_assert_eq(rights_of(OPERATOR, OPERATOR, GROUP), RIGHTS_OPERATE);
	cr_assert_eq(rights_of(STRANGER, STRANGER, STRANGER), -1);
	let(0600, GROUP);
	cr_assert_eq(rights_of(OPERATOR, GROUP, GROUP), -1);
}

/* By a mistake, or in a namespace where all strange groups look like one. */
Test(rights, are_nobodys_where_everybody_gets_through)
{
	if (geteuid() != 0)
		cr_skip("needs root");
	let(0666, GROUP);
	cr_assert_eq(rights_of(STRANGER, STRANGER, STRANGER), RIGHTS_NONE);
	cr_assert_eq(rights_of(OPERATOR, GROUP, GROUP), RIGHTS_NONE);
	cr_assert_eq(rights_of(SERVER, STRANGER, STRANGER), RIGHTS_ALL);
	let(0660, 0);
	cr_assert_eq(rights_of(OPERATOR, 0, 0), RIGHTS_NONE, "root's group is nobody's");
	let(0660, GROUP);
	cr_assert_eq(unlink(path), 0);
}

/* ---- which socket is open to the group ---- */

static void
make(const char *name, uid_t user, gid_t group)
{
	mkdir(name, 0755);
	cr_assert_eq(chown(name, user, group), 0);
}

static bool
includes(const char *name, uid_t user, gid_t group)
{
	struct privileges privileges = {.changes = true, .user = user, .group = group};

	return rights_include_group(name, &privileges);
}

Test(rights, include_the_group_of_the_folder_for_sockets_alone)
{
	if (geteuid() != 0 || unshare(CLONE_NEWNS) != 0 ||
		mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
		mount("none", "/run", "tmpfs", 0, "mode=755") != 0)
		cr_skip("needs root, and mounts of its own");
	make("/run/hubbub", SERVER, GROUP);
	make("/run/hubbub/own", SERVER, GROUP);
	make("/run/hubbub/another", STRANGER, STRANGER);
	make("/run/hubbub/users", SERVER, STRANGER);
	make("/run/hubbubble", SERVER, GROUP);
	make("/run/else", SERVER, GROUP);
	cr_assert(includes("/run/hubbub/a.sock", SERVER, GROUP));
	cr_assert(includes("/run/hubbub/own/a.sock", SERVER, GROUP));
	cr_assert_not(includes("/run/hubbub/a.sock", STRANGER, GROUP), "another's folder");
	cr_assert_not(includes("/run/hubbub/a.sock", SERVER, STRANGER), "of another group");
	cr_assert_not(includes("/run/hubbub/another/a.sock", STRANGER, STRANGER), "as nogroup");
	cr_assert_not(includes("/run/hubbub/users/a.sock", SERVER, GROUP));
	cr_assert_not(includes("/run/hubbub/users/a.sock", SERVER, STRANGER));
	cr_assert_not(includes("/run/else/a.sock", SERVER, GROUP));
	cr_assert_not(includes("/run/hubbub/../else/a.sock", SERVER, GROUP));
	cr_assert_not(includes("/run/hubbubble/a.sock", SERVER, GROUP));
	cr_assert_not(includes("/run/hubbub/none/a.sock", SERVER, GROUP));
	cr_assert_not(includes("a.sock", SERVER, GROUP));
	make("/run/hubbub", SERVER, 65534);
	cr_assert_not(includes("/run/hubbub/a.sock", SERVER, 65534), "nogroup has no operators");
	make("/run/hubbub", 0, 0);
	cr_assert_not(includes("/run/hubbub/a.sock", 0, 0), "root's group has no operators");
}
