/* /proc/net/tcp has the inode of each listening socket, /proc/PID/fd the inodes that a process has
 * open, as far as this user may look. */
#include "master/holder.h"

#include <ctype.h>
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STATE_LISTEN 0x0A

/* The inode of a listening socket on that port, or 0. */
static unsigned long
listening_inode(const char *table, unsigned port)
{
	FILE *stream = fopen(table, "re");
	char line[512];
	unsigned long inode = 0;

	if (stream == NULL)
		return 0;
	while (inode == 0 && fgets(line, sizeof line, stream) != NULL) {
		unsigned local = 0, state = 0;
		unsigned long found = 0;

		if (sscanf(line, " %*u: %*[0-9A-F]:%x %*[0-9A-F]:%*x %x %*s %*s %*s %*u %*u %lu",
			    &local, &state, &found) == 3 &&
			local == port && state == STATE_LISTEN)
			inode = found;
	}
	fclose(stream);
	return inode;
}

static bool
process_has(const char *pid, const char *socket)
{
	char path[300], link[64];
	struct dirent *entry;
	bool has = false;
	DIR *folder;

	snprintf(path, sizeof path, "/proc/%s/fd", pid);
	folder = opendir(path);
	if (folder == NULL)
		return false;
	while (!has && (entry = readdir(folder)) != NULL) {
		ssize_t length = readlinkat(dirfd(folder), entry->d_name, link, sizeof link - 1);

		if (length > 0) {
			link[length] = '\0';
			has = strcmp(link, socket) == 0;
		}
	}
	closedir(folder);
	return has;
}

static void
describe(const char *pid, char text[static HOLDER_TEXT_SIZE])
{
	char path[300], name[32] = "";
	FILE *stream;

	snprintf(path, sizeof path, "/proc/%s/comm", pid);
	stream = fopen(path, "re");
	if (stream != NULL) {
		if (fgets(name, sizeof name, stream) == NULL)
			name[0] = '\0';
		fclose(stream);
	}
	name[strcspn(name, "\n")] = '\0';
	snprintf(text, HOLDER_TEXT_SIZE, "pid %.10s (%s)", pid, name);
}

void
holder_find(const struct address *address, char text[static HOLDER_TEXT_SIZE])
{
	unsigned port = address_port(address);
	unsigned long inode = listening_inode("/proc/self/net/tcp", port);
	char socket[64];
	struct dirent *entry;
	DIR *processes;
	bool found = false;

	snprintf(text, HOLDER_TEXT_SIZE, "another process");
	if (inode == 0)
		inode = listening_inode("/proc/self/net/tcp6", port);
	if (inode == 0)
		return;
	snprintf(socket, sizeof socket, "socket:[%lu]", inode);
	processes = opendir("/proc");
	if (processes == NULL)
		return;
	while (!found && (entry = readdir(processes)) != NULL) {
		found = isdigit((unsigned char)entry->d_name[0]) &&
			process_has(entry->d_name, socket);
		if (found)
			describe(entry->d_name, text);
	}
	closedir(processes);
}
