/* A mount namespace with another /etc/hosts, and a network namespace with nothing but the loopback.
 * Without root both need a user namespace, in which the caller is root. */
#include "tests/support/names.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static bool
write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	bool is_well = fd != -1 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd != -1)
		close(fd);
	return is_well;
}

/* Enters new namespaces: as root, or else as root of a new user namespace. */
static bool
leave(void)
{
	char map[32];

	if (unshare(CLONE_NEWNS | CLONE_NEWNET) == 0)
		return true;
	snprintf(map, sizeof map, "0 %u 1", geteuid());
	return unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET) == 0 &&
	       write_file("/proc/self/setgroups", "deny") && write_file("/proc/self/uid_map", map);
}

static bool
mount_hosts(const char *hosts)
{
	char path[] = "/tmp/hubbub-hosts-XXXXXX";
	int fd = mkstemp(path);
	bool is_well = fd != -1 && write_file(path, hosts) && fchmod(fd, 0644) == 0 &&
		       mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0 &&
		       mount(path, "/etc/hosts", "none", MS_BIND, NULL) == 0;

	if (fd != -1)
		close(fd);
	unlink(path);
	return is_well;
}

static bool
start_loopback(void)
{
	struct ifreq request = {.ifr_name = "lo"};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool is_well = ioctl(fd, SIOCGIFFLAGS, &request) == 0;

	request.ifr_flags |= IFF_UP;
	is_well = is_well && ioctl(fd, SIOCSIFFLAGS, &request) == 0;
	close(fd);
	return is_well;
}

static bool
can_bind_v6(void)
{
	struct sockaddr_in6 loopback = {
		.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool can = fd != -1 && bind(fd, (struct sockaddr *)&loopback, sizeof loopback) == 0;

	if (fd != -1)
		close(fd);
	return can;
}

const char *
names_enter(const char *hosts, bool has_v6)
{
	if (!leave())
		return "namespaces are refused here";
	if (!mount_hosts(hosts))
		return "the hosts file cannot be replaced here";
	if (!has_v6)
		write_file("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1");
	if (!start_loopback())
		return "the loopback cannot be started here";
	if (can_bind_v6() != has_v6)
		return has_v6 ? "this machine has no IPv6" : "IPv6 cannot be turned off here";
	return NULL;
}

bool
names_change(const char *hosts)
{
	return write_file("/etc/hosts", hosts);
}
