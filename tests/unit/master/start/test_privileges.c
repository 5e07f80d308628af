#include "master/start/privileges.h"

#include <criterion/criterion.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "tests/support/complaint.h"

#define SOMEBODY "nobody" /* who is on every machine */
#define GROUP "daemon"

static struct privileges privileges;

/* What is said when it is looked for in vain. */
static const char *
refusal(const char *user, const char *group)
{
	int result;

	complaint_listen();
	result = privileges_find(&privileges, user, group);
	return result == -1 ? complaint_heard() : "found";
}

static void
become_somebody(void)
{
	const struct passwd *account = getpwnam(SOMEBODY);

	cr_assert_eq(setgroups(0, NULL), 0);
	cr_assert_eq(setgid(account->pw_gid), 0);
	cr_assert_eq(setuid(account->pw_uid), 0);
}

Test(privileges, without_a_user_nothing_changes)
{
	uid_t before = getuid();

	cr_assert_eq(privileges_find(&privileges, NULL, NULL), 0);
	cr_assert_not(privileges.changes);
	cr_assert_eq(privileges_find(&privileges, NULL, "no-such-group"), 0);
	cr_assert_not(privileges.changes);
	cr_assert_eq(privileges_assume(&privileges), 0);
	cr_assert_eq(getuid(), before);
}

Test(privileges, who_does_not_exist_is_named)
{
	const char *said = refusal("no-such-user", NULL);

	cr_assert_not_null(strstr(said, "there is no user 'no-such-user'"), "%s", said);
	said = refusal(SOMEBODY, "no-such-group");
	cr_assert_not_null(strstr(said, "there is no group 'no-such-group'"), "%s", said);
}

Test(privileges, root_becomes_another_for_good_with_its_groups)
{
	const struct passwd *account = getpwnam(SOMEBODY);
	gid_t group = getgrnam(GROUP)->gr_gid, groups[64];
	bool has = false;
	int count;

	if (geteuid() != 0)
		cr_skip_test("needs root");
	cr_assert_eq(privileges_find(&privileges, SOMEBODY, GROUP), 0);
	cr_assert(privileges.changes);
	cr_assert_eq(privileges.user, account->pw_uid);
	cr_assert_eq(privileges.group, group);
	cr_assert_str_eq(privileges.name, SOMEBODY);
	/* A supplementary group that root alone has. */
	cr_assert_eq(setgroups(1, &(gid_t){12345}), 0);
	cr_assert_eq(privileges_assume(&privileges), 0);
	cr_assert_eq(getuid(), account->pw_uid);
	cr_assert_eq(geteuid(), account->pw_uid);
	cr_assert_eq(getgid(), group);
	cr_assert_neq(setuid(0), 0, "there is a way back");
	count = getgroups(64, groups);
	for (int i = 0; i < count; i++)
		has = has || groups[i] == 12345;
	cr_assert_not(has, "root's groups are left");
	cr_assert_eq(prctl(PR_GET_DUMPABLE), 0, "it can read what root had in memory");
}

Test(privileges, it_is_hidden_for_good_only_from_another_user)
{
	privileges_hide_for_now();
	cr_assert_eq(prctl(PR_GET_DUMPABLE), 0);
	privileges_hide(NULL);
	cr_assert_eq(prctl(PR_GET_DUMPABLE), 1);
	if (geteuid() != 0)
		cr_skip_test("needs root");
	privileges_hide("root");
	cr_assert_eq(prctl(PR_GET_DUMPABLE), 1);
	become_somebody();
	privileges_hide(SOMEBODY);
	cr_assert_eq(prctl(PR_GET_DUMPABLE), 0);
}

Test(privileges, the_users_own_group_is_the_default)
{
	if (geteuid() != 0)
		cr_skip_test("needs root");
	cr_assert_eq(privileges_find(&privileges, SOMEBODY, NULL), 0);
	cr_assert_eq(privileges.group, getpwnam(SOMEBODY)->pw_gid);
}

Test(privileges, others_may_only_be_who_they_are)
{
	const char *said;

	if (geteuid() != 0)
		cr_skip_test("needs root");
	become_somebody();
	cr_assert_eq(privileges_find(&privileges, SOMEBODY, NULL), 0);
	cr_assert_not(privileges.changes);
	cr_assert_eq(privileges_assume(&privileges), 0);
	said = refusal("root", NULL);
	cr_assert_not_null(strstr(said, "only root can become 'root'"), "%s", said);
	said = refusal(SOMEBODY, GROUP);
	cr_assert_not_null(strstr(said, "only root can become"), "%s", said);
	cr_assert_not(privileges.changes);
}

Test(privileges, a_change_that_the_kernel_refuses_is_an_error)
{
	const char *said;

	if (geteuid() != 0)
		cr_skip_test("needs root");
	cr_assert_eq(privileges_find(&privileges, "root", NULL), 0);
	become_somebody();
	complaint_listen();
	cr_assert_eq(privileges_assume(&privileges), -1);
	said = complaint_heard();
	cr_assert_not_null(strstr(said, "cannot become user 'root': "), "%s", said);
}
