/* The fd of standard error is replaced by a memory file, and restored afterwards. So also output of
 * the C library and of child processes is kept. */
#include "tests/support/complaint.h"

#include <string.h>
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

/* LeakSanitizer writes, of a process that ends, that it has not stopped a thread in time: on a busy
 * machine, and whatever is tested. */
static void
drop_remarks(char *text)
{
	char *remark, *end;

	while ((remark = strstr(text, "==Running thread ")) != NULL &&
		(end = strchr(remark, '\n')) != NULL) {
		while (remark > text && remark[-1] != '\n')
			remark--;
		memmove(remark, end + 1, strlen(end + 1) + 1);
	}
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
	drop_remarks(text);
	return text;
}
