/* Sizes of a coroutine's stack in bytes, for hubs and for programs with an option for it. */
#ifndef HUBBUB_STACK_H
#define HUBBUB_STACK_H

#include <stddef.h>

#define STACK_SIZE_DEFAULT ((size_t)64 * 1024)
#define STACK_SIZE_MIN ((size_t)16 * 1024)
#define STACK_SIZE_MAX ((size_t)1024 * 1024 * 1024)

#endif
