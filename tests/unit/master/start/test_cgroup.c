#include "master/start/cgroup.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/folder.h"

static char folder[FOLDER_SIZE], self[FOLDER_SIZE + 16];

static void
begin(void)
{
	FILE *stream;

	cr_assert(folder_make(folder));
	snprintf(self, sizeof self, "%s/self", folder);
	stream = fopen(self, "w");
	fputs("9:cpuset:/set\n4:cpu,cpuacct:/a/b\n3:memory:/\n0::/x.slice/y.scope\n", stream);
	fclose(stream);
}

static void
end(void)
{
	folder_remove(folder);
}

TestSuite(cgroup, .init = begin, .fini = end);

static void
collect(const char *path, void *context)
{
	strcat(strcat(context, path), " ");
}

Test(cgroup, each_folder_is_visited_from_the_process_upwards)
{
	char visited[256] = "";

	cgroup_each(self, "", "/m", collect, visited);
	cr_assert_str_eq(visited, "/m/x.slice/y.scope /m/x.slice /m ");
}

Test(cgroup, a_controller_is_known_by_its_whole_name)
{
	char visited[256] = "";

	cgroup_each(self, "cpu", "/c", collect, visited);
	cr_assert_str_eq(visited, "/c/a/b /c/a /c ");
}

Test(cgroup, the_root_is_visited_once)
{
	char visited[256] = "";

	cgroup_each(self, "memory", "/m", collect, visited);
	cr_assert_str_eq(visited, "/m ");
	cgroup_each("/nowhere", "memory", "/m", collect, visited);
	cr_assert_str_eq(visited, "/m ");
}

Test(cgroup, a_file_that_is_not_there_is_empty)
{
	char text[16] = "before";

	cr_assert_eq(cgroup_read(folder, "none", text, sizeof text), 0);
	cr_assert_str_eq(text, "");
	cr_assert_eq(cgroup_read(folder, "self", text, sizeof text), sizeof text - 1);
	cr_assert_str_eq(text, "9:cpuset:/set\n4");
}
