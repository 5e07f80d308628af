/* The commit that a program was built from. */
#ifndef HUBBUB_MASTER_BASE_COMMIT_H
#define HUBBUB_MASTER_BASE_COMMIT_H

#include <stddef.h>

/* ", commit 0123456789ab", with "-dirty" behind it if the source differed from that commit; "" if
 * the source was no clone. Defined in a file that each build makes anew (commit.cmake), and that
 * tests, which are many, are linked without. */
extern const char hubbub_commit[] __attribute__((weak));

static inline const char *
commit_text(void)
{
	return hubbub_commit != NULL ? hubbub_commit : "";
}

#endif
