/* /proc/net/tcp, udp and unix give the inode of each listening socket, and /proc/PID/fd the inodes
 * that a process has open, as far as this user may read them. All of it is a snapshot: a process
 * may end between two reads. */
#include "master/sockets/port_owner.h"

#include <ctype.h>
#include <dirent.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "worker/counters.h"

#define PATH_SIZE 64
#define STATE_LISTEN 0x0A
#define STATE_UNCONNECTED 0x07 /* of a datagram socket without a connected peer */

/* Whether two addresses, as /proc writes them, overlap: they are equal, or one is all zeros, which
 * means all addresses. */
static bool
covers(const char *local, const char *wanted)
{
	return strcmp(local, wanted) == 0 || local[strspn(local, "0")] == '\0' ||
	       wanted[strspn(wanted, "0")] == '\0';
}

/* Writes an address as /proc does: its 32-bit words, in network order, printed as numbers of this
 * machine. */
static void
format_hex(const struct address *address, char text[33])
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)&address->socket;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&address->socket;

	if (address->socket.ss_family == AF_INET6)
		for (int i = 0; i < 4; i++)
			snprintf(text + 8 * i, 9, "%08X", v6->sin6_addr.s6_addr32[i]);
	else
		snprintf(text, 9, "%08X", v4->sin_addr.s_addr);
}

/* Returns the inode of a socket in that state and on that port whose address overlaps the wanted
 * one, or 0. */
static unsigned long
listening_inode(const char *table, unsigned wanted_state, unsigned port, const char *wanted)
{
	FILE *stream = fopen(table, "re");
	char line[512];
	unsigned long inode = 0;

	if (stream == NULL)
		return 0;
	while (inode == 0 && fgets(line, sizeof line, stream) != NULL) {
		unsigned local = 0, state = 0;
		unsigned long found = 0;
		char host[33];

		if (sscanf(line, " %*u: %32[0-9A-F]:%x %*[0-9A-F]:%*x %x %*s %*s %*s %*u %*u %lu",
			    host, &local, &state, &found) == 4 &&
			local == port && state == wanted_state && covers(host, wanted))
			inode = found;
	}
	fclose(stream);
	return inode;
}

/* Returns the inode of the first socket in the table that is bound to the path, or 0. */
static unsigned long
path_inode(const char *wanted)
{
	FILE *stream = fopen("/proc/self/net/unix", "re");
	char line[512];
	unsigned long inode = 0;

	if (stream == NULL)
		return 0;
	while (inode == 0 && fgets(line, sizeof line, stream) != NULL) {
		unsigned long found = 0;
		char path[128] = "";

		if (sscanf(line, "%*s %*s %*s %*s %*s %*s %lu %127s", &found, path) == 2 &&
			strcmp(path, wanted) == 0)
			inode = found;
	}
	fclose(stream);
	return inode;
}

static unsigned long
find_inode(const struct address *address)
{
	unsigned state = address->kind == ADDRESS_UDP ? STATE_UNCONNECTED : STATE_LISTEN;
	unsigned port = address_port(address);
	unsigned long inode;
	char wanted[33];

	if (address->kind == ADDRESS_UNIX)
		return path_inode(address_path(address));
	format_hex(address, wanted);
	inode = listening_inode(
		address->kind == ADDRESS_UDP ? "/proc/self/net/udp" : "/proc/self/net/tcp", state,
		port, wanted);
	if (inode == 0)
		inode = listening_inode(address->kind == ADDRESS_UDP ? "/proc/self/net/udp6"
								     : "/proc/self/net/tcp6",
			state, port, wanted);
	return inode;
}

/* Finds a file descriptor of the process whose link in /proc/PID/fd has that beginning, and writes
 * the link's path. */
static bool
find_descriptor(const char *pid, const char *beginning, char path[static PATH_SIZE])
{
	char parent[PATH_SIZE / 2], link[64];
	struct dirent *entry;
	bool has = false;
	DIR *directory;

	snprintf(parent, sizeof parent, "/proc/%.20s/fd", pid);
	directory = opendir(parent);
	if (directory == NULL)
		return false;
	while (!has && (entry = readdir(directory)) != NULL) {
		ssize_t length = readlinkat(dirfd(directory), entry->d_name, link, sizeof link - 1);

		link[length > 0 ? length : 0] = '\0';
		has = strncmp(link, beginning, strlen(beginning)) == 0;
		if (has)
			snprintf(path, PATH_SIZE, "%s/%.20s", parent, entry->d_name);
	}
	closedir(directory);
	return has;
}

/* Whether the process is a worker whose master is dead: it has the counters' memfd open. */
static bool
is_orphan(const char *pid)
{
	char path[PATH_SIZE];

	return find_descriptor(pid, "/memfd:" COUNTERS_NAME " ", path) &&
	       counters_are_orphaned(path, atoi(pid));
}

static void
describe(const char *pid, char text[static PORT_OWNER_TEXT_SIZE])
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
	snprintf(text, PORT_OWNER_TEXT_SIZE, "pid %.10s (%s)", pid, name);
}

/* Orphaned workers count even if none holds the inode: a worker that is closing its sockets may
 * still hold a socket that is bound but no longer listens, and /proc/net does not show it. */
enum port_owner
port_owner_find(const struct address *address, char text[static PORT_OWNER_TEXT_SIZE])
{
	unsigned long inode = find_inode(address);
	enum port_owner kind = PORT_OWNER_UNKNOWN;
	char socket[64], path[PATH_SIZE];
	DIR *processes = opendir("/proc");
	struct dirent *entry;
	bool is_found = false;

	snprintf(text, PORT_OWNER_TEXT_SIZE, "another process");
	snprintf(socket, sizeof socket, "socket:[%lu]", inode);
	while (processes != NULL && !is_found && (entry = readdir(processes)) != NULL) {
		const char *pid = entry->d_name;

		if (!isdigit((unsigned char)*pid))
			continue;
		is_found = inode != 0 && find_descriptor(pid, socket, path);
		if (is_found)
			describe(pid, text);
		if (is_orphan(pid))
			kind = PORT_OWNER_ORPHAN;
		else if (is_found)
			/* Looked at again, because the process may have closed the socket, or
			 * ended, since. */
			kind = find_descriptor(pid, socket, path) ? PORT_OWNER_OTHER
								  : PORT_OWNER_UNKNOWN;
	}
	if (processes != NULL)
		closedir(processes);
	return kind;
}
