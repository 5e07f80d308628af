/* What a name of a file in memory means. */
#ifndef HUBBUB_SIM_DISK_NODE_PRIV_H
#define HUBBUB_SIM_DISK_NODE_PRIV_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "hub/base/list.h"

struct node {
	struct list link; /* of all nodes, while it has a name */
	char *path;       /* owned; NULL: it has no name any more */
	unsigned opened;  /* how many open files it has */
	mode_t mode;
	unsigned long inode;
	int64_t changed_at;
	unsigned char *bytes; /* owned */
	size_t size, room;
};

/* As open(2), but for the open file. NULL with errno. */
struct node *node_open(const char *path, int flags, mode_t mode);

/* Frees it, if it has no name and is not open. */
void node_release(struct node *node);

/* What is new reads as zeros. */
void node_resize(struct node *node, size_t size);

void node_tell(const struct node *node, struct stat *status);

#endif
