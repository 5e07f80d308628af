/* The directory is removed file by file, without following symbolic links. If that fails its path
 * is printed. */
#include "tests/support/folder.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

bool
folder_make(char path[static FOLDER_SIZE])
{
	snprintf(path, FOLDER_SIZE, "/tmp/hubbub-test-XXXXXX");
	if (mkdtemp(path) != NULL)
		return true;
	path[0] = '\0';
	return false;
}

static int
remove_one(const char *path, const struct stat *status, int kind, struct FTW *where)
{
	(void)status, (void)kind, (void)where;
	return remove(path);
}

void
folder_remove(char path[static FOLDER_SIZE])
{
	if (path[0] != '\0' && nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0)
		fprintf(stderr, "%s is left\n", path);
	path[0] = '\0';
}
