/* A file with the wanted number is mounted over /proc/sys/fs/nr_open, in a mount namespace of this
 * process. The kernel's own limit is unchanged: only what /proc shows differs. */
#include "tests/support/most_files.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>

bool
most_files_set(unsigned number)
{
	static bool is_apart;
	char path[] = "/tmp/hubbub-nr_open-XXXXXX";
	int file = mkstemp(path);
	bool is_set;

	if (file == -1)
		return false;
	if (number != 0)
		dprintf(file, "%u\n", number);
	is_apart = is_apart || (unshare(CLONE_NEWNS) == 0 &&
				       mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	is_set = is_apart && mount(path, "/proc/sys/fs/nr_open", NULL, MS_BIND, NULL) == 0;
	close(file);
	unlink(path);
	return is_set;
}
