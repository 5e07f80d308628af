/* A first-in-first-out queue that is one pointer, to the first element, whose previous is the last
 * element. An empty queue is NULL, as zeroed memory is; appending and removing cost the same
 * however long the queue is. An element is in one such queue at most, by two pointers of its own,
 * whose names the caller gives. */
#ifndef HUBBUB_BASE_FIFO_H
#define HUBBUB_BASE_FIFO_H

#include <stddef.h>

/* Appends an element that is in no queue. Arguments are evaluated more than once. */
#define FIFO_APPEND(first, element, next, previous)                                                \
	do {                                                                                       \
		(element)->next = NULL;                                                            \
		(element)->previous = (element);                                                   \
		if ((first) == NULL) {                                                             \
			(first) = (element);                                                       \
			break;                                                                     \
		}                                                                                  \
		(element)->previous = (first)->previous;                                           \
		(element)->previous->next = (element);                                             \
		(first)->previous = (element);                                                     \
	} while (0)

/* Takes an element out of the queue that it is in. The element's own pointers stay as they are. */
#define FIFO_REMOVE(first, element, next, previous)                                                \
	do {                                                                                       \
		if ((element)->next != NULL)                                                       \
			(element)->next->previous = (element)->previous;                           \
		else                                                                               \
			(first)->previous = (element)->previous;                                   \
		if ((first) == (element))                                                          \
			(first) = (element)->next;                                                 \
		else                                                                               \
			(element)->previous->next = (element)->next;                               \
	} while (0)

#endif
