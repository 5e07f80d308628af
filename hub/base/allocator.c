/* Which allocator the program has is told by the library that malloc is found in. */
#include "hub/base/allocator.h"

#include <dlfcn.h>
#include <string.h>

const char *
allocator_name(void)
{
	void *found = dlsym(RTLD_DEFAULT, "malloc");
	const char *file;
	Dl_info info;

	if (found == NULL || dladdr(found, &info) == 0 || info.dli_fname == NULL)
		return mallctl != NULL ? "jemalloc" : "an unknown allocator";
	file = strrchr(info.dli_fname, '/');
	file = file != NULL ? file + 1 : info.dli_fname;
	if (strncmp(file, "libjemalloc.", 12) == 0)
		return "jemalloc";
	if (strncmp(file, "libc.", 5) == 0)
		return "the C library's allocator";
	/* jemalloc that is linked statically; otherwise the library's name: a sanitizer's, or
	 * another allocator's. */
	return mallctl != NULL && strncmp(file, "lib", 3) != 0 ? "jemalloc" : file;
}
