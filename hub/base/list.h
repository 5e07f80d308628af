/* Intrusive doubly linked list. The head and the links are the same struct. An empty head points at
 * itself; so does an element outside of any list, and list_remove may be repeated. */
#ifndef HUBBUB_BASE_LIST_H
#define HUBBUB_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *next;
	struct list *previous;
};

/* The struct of the given type whose member the pointer is. */
#define CONTAINER_OF(pointer, type, member)                                                        \
	((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/* Walks the list; the element under the cursor may be removed. */
#define LIST_EACH(cursor, head)                                                                    \
	for (struct list *cursor = (head)->next, *cursor##_next = cursor->next; cursor != (head);  \
		cursor = cursor##_next, cursor##_next = cursor->next)

static inline void
list_init(struct list *list)
{
	list->next = list;
	list->previous = list;
}

static inline bool
list_is_empty(const struct list *list)
{
	return list->next == list;
}

static inline void
list_append(struct list *head, struct list *element)
{
	element->next = head;
	element->previous = head->previous;
	head->previous->next = element;
	head->previous = element;
}

static inline void
list_prepend(struct list *head, struct list *element)
{
	list_append(head->next, element);
}

static inline void
list_remove(struct list *element)
{
	element->previous->next = element->next;
	element->next->previous = element->previous;
	list_init(element);
}

#endif
