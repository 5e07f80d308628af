/* localedef compiles the locale into a directory of the test's own. */
#include "tests/support/comma.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char folder[64];

bool
comma_begin(void)
{
	char command[256];

	snprintf(folder, sizeof folder, "/tmp/hubbub-comma.%d", (int)getpid());
	snprintf(command, sizeof command,
		"mkdir %s && localedef -i de_DE -f UTF-8 %s/de_DE.UTF-8 2>/dev/null", folder,
		folder);
	return system(command) == 0 && setenv("LOCPATH", folder, 1) == 0 &&
	       setlocale(LC_ALL, "de_DE.UTF-8") != NULL;
}

void
comma_end(void)
{
	char command[128];

	snprintf(command, sizeof command, "rm -rf %s", folder);
	if (folder[0] != '\0' && system(command) != 0)
		perror(folder);
}
