/* Structs that users fill end with room for fields of later versions. Zero there means that no such
 * field was given. */
#ifndef HUBBUB_BASE_ROOM_H
#define HUBBUB_BASE_ROOM_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

/* Whether the room is all zero. If not, the struct was never zeroed, or the program is newer than
 * this library, which must not pass over what the program asks for. Sets errno to EINVAL then. */
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

/* What users are told of one that is not: "its room " ROOM_IS_FULL. */
#define ROOM_IS_FULL                                                                               \
	"is not NULL: it is not initialised, or the program is newer than this libhubbub"

#define ROOM_IS_EMPTY(object) room_is_empty((object)->room, sizeof(object)->room / sizeof(void *))

#endif
