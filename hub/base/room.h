/* Structs that users fill end with room for fields that later versions add: zero stands for what
 * such a field will mean where it is not given. */
#ifndef HUBBUB_BASE_ROOM_H
#define HUBBUB_BASE_ROOM_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

/* Whether it is all zero: otherwise the struct was never made zero, or its program is newer than
 * this library, which must not pass over what it is asked for. errno is EINVAL then. */
static inline bool
room_is_empty(void *const *room, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (room[i] != NULL) {
			errno = EINVAL;
			return false;
		}
	return true;
}

#define ROOM_IS_EMPTY(object) room_is_empty((object)->room, sizeof(object)->room / sizeof(void *))

#endif
