/* The fd of standard error is replaced by a memory file, and restored afterwards. So also output of
 * the C library and of child processes is kept. */
#include "tests/support/complaint.h"

#include <sys/mman.h>
#include <unistd.h>

static int before, kept;

void
complaint_listen(void)
{
	before = dup(STDERR_FILENO);
	/* Not a pipe, which would block when full, since it is read only at the end. */
	kept = memfd_create("complaint", MFD_CLOEXEC);
	dup2(kept, STDERR_FILENO);
}

const char *
complaint_heard(void)
{
	static char text[16384];
	ssize_t length = pread(kept, text, sizeof text - 1, 0);

	text[length > 0 ? length : 0] = '\0';
	dup2(before, STDERR_FILENO);
	close(before);
	close(kept);
	return text;
}
