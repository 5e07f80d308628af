#include "master/start/cgroup.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Whether it is one of those names, which commas separate. */
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
	void (*visit)(const char *folder, void *context), void *context)
{
	FILE *stream = fopen(self, "re");
	char line[512], folder[1024];

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
			/* The root's own path is a slash alone. */
			if (slash == NULL || slash[1] != '\0') {
				snprintf(folder, sizeof folder, "%s%s", mount, path);
				visit(folder, context);
			}
			if (slash == NULL)
				break;
			*slash = '\0';
		}
	}
	fclose(stream);
}

size_t
cgroup_read(const char *folder, const char *file, char *text, size_t size)
{
	char path[1100];
	ssize_t length = -1;
	int fd = -1;

	if (snprintf(path, sizeof path, "%s/%s", folder, file) < (int)sizeof path)
		fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd != -1) {
		length = read(fd, text, size - 1);
		close(fd);
	}
	text[length > 0 ? length : 0] = '\0';
	return length > 0 ? (size_t)length : 0;
}
