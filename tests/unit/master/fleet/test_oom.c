#include "master/fleet/oom.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/support/folder.h"

static char folder[FOLDER_SIZE], self[FOLDER_SIZE + 16], machine[FOLDER_SIZE + 16];
static char text[OOM_TEXT_SIZE];

static void
write_file(const char *name, const char *content)
{
	char path[FOLDER_SIZE + 64];
	FILE *stream;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	stream = fopen(path, "w");
	cr_assert_not_null(stream, "%s", path);
	fputs(content, stream);
	fclose(stream);
}

static void
make_folder(const char *name)
{
	char path[FOLDER_SIZE + 64];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	cr_assert_eq(mkdir(path, 0700), 0);
}

static void
begin(void)
{
	cr_assert(folder_make(folder));
	snprintf(self, sizeof self, "%s/self", folder);
	snprintf(machine, sizeof machine, "%s/vmstat", folder);
	write_file("vmstat", "pgfault 7\noom_kill 3\n");
}

static void
end(void)
{
	folder_remove(folder);
}

TestSuite(oom, .init = begin, .fini = end);

static void
look_here(void)
{
	oom_begin(&(struct oom_places){self, folder, machine});
}

static const char *
explain(void)
{
	oom_explain(text);
	return text;
}

Test(oom, version_2_says_what_was_killed_and_by_which_limit)
{
	char wanted[FOLDER_SIZE + 64];

	write_file("self", "0::/s.slice/e.service\n");
	make_folder("s.slice");
	make_folder("s.slice/e.service");
	write_file("s.slice/memory.max", "134217728\n");
	write_file("s.slice/e.service/memory.max", "max\n");
	write_file("s.slice/e.service/memory.events", "low 0\nhigh 0\nmax 9\noom 2\noom_kill 2\n");
	look_here();
	cr_assert_str_eq(explain(), "", "what was before is no reason");
	write_file("s.slice/e.service/memory.events", "low 0\nhigh 0\nmax 9\noom 3\noom_kill 3\n");
	snprintf(wanted, sizeof wanted, "the memory limit is 128 MiB, of %s/s.slice)", folder);
	cr_assert_not_null(strstr(explain(), "probably by the kernel for lack of memory"));
	cr_assert_not_null(strstr(text, wanted), "%s", text);
	cr_assert_str_eq(explain(), "", "it has killed one, not two");
}

Test(oom, version_1_says_it_too)
{
	char wanted[FOLDER_SIZE + 64];

	write_file("self", "7:memory:/echo\n0::/\n");
	make_folder("memory");
	make_folder("memory/echo");
	write_file("memory/memory.limit_in_bytes", "9223372036854771712\n");
	write_file("memory/echo/memory.limit_in_bytes", "67108864\n");
	write_file(
		"memory/echo/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n");
	look_here();
	/* Two die of it, and are seen one after the other. */
	write_file(
		"memory/echo/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n");
	oom_look();
	snprintf(wanted, sizeof wanted, "the memory limit is 64 MiB, of %s/memory/echo)", folder);
	cr_assert_not_null(strstr(explain(), wanted), "%s", text);
	cr_assert_not_null(strstr(explain(), wanted), "%s", text);
	cr_assert_str_eq(explain(), "");
}

Test(oom, without_a_group_the_machine_is_asked)
{
	look_here();
	write_file("vmstat", "pgfault 9\noom_kill 4\n");
	cr_assert_not_null(strstr(explain(), "there is no memory limit"), "%s", text);
	cr_assert_str_eq(explain(), "");
}

Test(oom, what_cannot_be_read_explains_nothing)
{
	look_here();
	cr_assert_eq(remove(machine), 0);
	cr_assert_str_eq(explain(), "");
	/* And is no news when it can be read again. */
	write_file("vmstat", "oom_kill 3\n");
	cr_assert_str_eq(explain(), "");
}
