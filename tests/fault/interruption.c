/* Sets the environment of programs that are started: LD_PRELOAD and HUBBUB_INTERRUPT, and options
 * for AddressSanitizer, whose former value is restored by interruption_end. */
#include "tests/fault/interruption.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LIBRARY HUBBUB_BUILD_DIR "/lib/interrupt.so"

static char sanitizer[1024]; /* AddressSanitizer's options, as they were */

bool
interruption_is_possible(void)
{
	return access(LIBRARY, R_OK) == 0;
}

void
interruption_begin(const char *when, const char *file)
{
	const char *options = getenv("ASAN_OPTIONS");
	char text[1200];

	snprintf(text, sizeof text, "%s %s", when, file);
	setenv("HUBBUB_INTERRUPT", text, 1);
	snprintf(sanitizer, sizeof sanitizer, "%s", options != NULL ? options : "");
	/* AddressSanitizer asks to be the first library, but need not be. */
	snprintf(text, sizeof text, "%s:verify_asan_link_order=0", sanitizer);
	setenv("ASAN_OPTIONS", text, 1);
	setenv("LD_PRELOAD", LIBRARY, 1);
}

void
interruption_end(void)
{
	unsetenv("LD_PRELOAD");
	unsetenv("HUBBUB_INTERRUPT");
	setenv("ASAN_OPTIONS", sanitizer, 1);
}

pid_t
interruption_pid(const char *file)
{
	FILE *stream = fopen(file, "re");
	int pid = 0;

	if (stream == NULL)
		return 0;
	if (fscanf(stream, "%d", &pid) != 1)
		pid = 0;
	fclose(stream);
	return pid;
}
