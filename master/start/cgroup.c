/* /proc/PID/cgroup has a line "ID:CONTROLLERS:PATH" for each hierarchy, with empty CONTROLLERS for
 * version 2. The directories are visited from the process's own group up to the mount point,
 * because a limit of any of them binds. */
#include "master/start/cgroup.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Whether name is one of names, which commas separate; "" is only among no names. */
static bool
is_among(const char *name, char *names)
{
	char *rest = names, *each;

	if (*name == '\0')
		return *names == '\0';
	while ((each = strsep(&rest, ",")) != NULL)
		if (strcmp(each, name) == 0)
			return true;
	return false;
}

void
cgroup_each(const char *self, const char *controller, const char *mount,
	void (*visit)(const char *directory, void *context), void *context)
{
	FILE *stream = fopen(self, "re");
	char line[512], directory[1024];

	if (stream == NULL)
		return;
	while (fgets(line, sizeof line, stream) != NULL) {
		char *controllers = strchr(line, ':'), *path, *slash;

		if (controllers == NULL || (path = strchr(++controllers, ':')) == NULL)
			continue;
		*path++ = '\0';
		path[strcspn(path, "\n")] = '\0';
		if (!is_among(controller, controllers))
			continue;
		for (;;) {
			slash = strrchr(path, '/');
			/* PATH is "/" for the root group: its directory is the mount point, visited
			 * last. */
			if (slash == NULL || slash[1] != '\0') {
				snprintf(directory, sizeof directory, "%s%s", mount, path);
				visit(directory, context);
			}
			if (slash == NULL)
				break;
			*slash = '\0';
		}
	}
	fclose(stream);
}

size_t
cgroup_read(const char *directory, const char *file, char *text, size_t size)
{
	char path[1100];
	ssize_t length = -1;
	int fd = -1;

	if (snprintf(path, sizeof path, "%s/%s", directory, file) < (int)sizeof path)
		fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd != -1) {
		length = read(fd, text, size - 1);
		close(fd);
	}
	text[length > 0 ? length : 0] = '\0';
	return length > 0 ? (size_t)length : 0;
}
