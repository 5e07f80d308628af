/* How large a coroutine's stack may be, for hubs and for those who set it by an option. */
#ifndef HUBBUB_STACK_H
#define HUBBUB_STACK_H

#include <stddef.h>

#define STACK_SIZE_DEFAULT ((size_t)64 * 1024)
#define STACK_SIZE_MIN ((size_t)16 * 1024)
#define STACK_SIZE_MAX ((size_t)1024 * 1024 * 1024)

#endif
