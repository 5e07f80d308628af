/* A library that is loaded after patching, and knows nothing of it. */
#include <unistd.h>

__attribute__((visibility("default"))) int module_pause(useconds_t microseconds);

int
module_pause(useconds_t microseconds)
{
	return usleep(microseconds);
}
