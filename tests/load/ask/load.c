/* The words of the command line, in the order of the enums. */
#include "tests/load/ask/load.h"

const char *const load_close_names[LOAD_CLOSE_MAX] = {"fin", "rst", "half"};
const char *const load_proxy_names[LOAD_PROXY_MAX] = {"off", "v1", "v2"};
const char *const load_color_names[LOAD_COLOR_MAX] = {"auto", "always", "never"};
