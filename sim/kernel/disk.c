/* Names are whole paths, in a list: a world has few files. A node is what a name means, and lives
 * as long as it has a name or is open. Directories are nodes without bytes; they cannot be
 * listed. */
#include "sim/kernel/disk_node_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "hub/base/check.h"
#include "hub/base/failed.h"
#include "hub/base/list.h"
#include "hub/scheduler.h"
#include "sim/kernel/disk_priv.h"
#include "sim/world/world_priv.h"

static struct {
	const char *directory; /* the caller's; NULL: none */
	struct list nodes;
	unsigned long inodes;
} disk;

/* ---- names ---- */

/* Writes the path without empty parts, "." and "..". False if it is too long. */
static bool
simplify(char *simple, const char *path)
{
	size_t length = 0;

	if (strlen(path) >= PATH_MAX)
		return false;
	while (*path != '\0') {
		size_t part = strcspn(path, "/");

		if (part == 2 && path[0] == '.' && path[1] == '.') {
			while (length > 0 && simple[--length] != '/')
				;
		} else if (part > 1 || (part == 1 && path[0] != '.')) {
			simple[length++] = '/';
			memcpy(simple + length, path, part);
			length += part;
		}
		path += part + (path[part] == '/');
	}
	simple[length] = '\0';
	return true;
}

bool
disk_has(const char *path)
{
	size_t length = disk.directory != NULL ? strlen(disk.directory) : 0;
	char simple[PATH_MAX];

	if (length == 0 || path[0] != '/' || !simplify(simple, path))
		return false;
	return strncmp(simple, disk.directory, length) == 0 &&
	       (simple[length] == '\0' || simple[length] == '/');
}

static struct node *
find_simple(const char *simple)
{
	LIST_EACH (link, &disk.nodes) {
		struct node *node = CONTAINER_OF(link, struct node, link);

		if (strcmp(node->path, simple) == 0)
			return node;
	}
	errno = ENOENT;
	return NULL;
}

static struct node *
find(const char *path)
{
	char simple[PATH_MAX];

	simplify(simple, path);
	return find_simple(simple);
}

/* Whether a name may be made there: its directory is one. Sets errno. */
static bool
has_parent(const char *simple)
{
	char parent[PATH_MAX];
	const struct node *node;

	strcpy(parent, simple);
	*strrchr(parent, '/') = '\0';
	node = find_simple(parent);
	if (node != NULL && !S_ISDIR(node->mode))
		errno = ENOTDIR;
	return node != NULL && S_ISDIR(node->mode);
}

static bool
is_below(const char *simple, const struct node *directory)
{
	size_t length = strlen(directory->path);

	return strncmp(simple, directory->path, length) == 0 && simple[length] == '/';
}

/* ---- nodes ---- */

static void *
need(void *memory)
{
	CHECK_WHY(memory != NULL, "no memory for a file of a simulated world");
	return memory;
}

static struct node *
node_new(const char *simple, mode_t mode)
{
	struct node *node = need(calloc(1, sizeof *node));

	node->path = need(strdup(simple));
	node->mode = mode;
	node->inode = ++disk.inodes;
	node->changed_at = world_now();
	list_append(&disk.nodes, &node->link);
	return node;
}

void
node_release(struct node *node)
{
	if (node->path != NULL || node->opened != 0)
		return;
	free(node->bytes);
	free(node);
}

static void
take_name(struct node *node)
{
	list_remove(&node->link);
	free(node->path);
	node->path = NULL;
	node_release(node);
}

void
node_resize(struct node *node, size_t size)
{
	if (size > node->room) {
		node->room = size > 2 * node->room ? size : 2 * node->room;
		node->bytes = need(realloc(node->bytes, node->room));
	}
	if (size > node->size)
		memset(node->bytes + node->size, 0, size - node->size);
	node->size = size;
	node->changed_at = world_now();
}

void
disk_begin(const char *directory)
{
	disk.directory = directory;
	disk.inodes = 0;
	list_init(&disk.nodes);
	if (directory != NULL)
		node_new(directory, S_IFDIR | 0755);
}

void
disk_end(void)
{
	while (!list_is_empty(&disk.nodes))
		take_name(CONTAINER_OF(disk.nodes.next, struct node, link));
	disk.directory = NULL;
}

void
node_tell(const struct node *node, struct stat *status)
{
	int64_t time = node->changed_at + WORLD_EPOCH;

	*status = (struct stat){.st_mode = node->mode,
		.st_dev = 10,
		.st_ino = node->inode,
		.st_nlink = node->path != NULL,
		.st_size = (off_t)node->size,
		.st_blksize = 4096,
		.st_blocks = (blkcnt_t)((node->size + 511) / 512)};
	status->st_mtim = (struct timespec){time / HUB_SECOND, time % HUB_SECOND};
	status->st_ctim = status->st_atim = status->st_mtim;
}

/* ---- calls on paths ---- */

struct node *
node_open(const char *path, int flags, mode_t mode)
{
	char simple[PATH_MAX];
	struct node *node;

	simplify(simple, path);
	node = find_simple(simple);
	if (node == NULL && (flags & O_CREAT) && has_parent(simple))
		return node_new(simple, S_IFREG | (mode & 07777));
	if (node == NULL)
		return NULL;
	errno = 0;
	if ((flags & O_CREAT) && (flags & O_EXCL))
		errno = EEXIST;
	else if ((flags & O_DIRECTORY) && !S_ISDIR(node->mode))
		errno = ENOTDIR;
	else if (S_ISDIR(node->mode) && (flags & (O_ACCMODE | O_CREAT)) != O_RDONLY)
		errno = EISDIR;
	return errno == 0 ? node : NULL;
}

int
disk_stat(const char *path, struct stat *status)
{
	const struct node *node = find(path);

	if (node == NULL)
		return -1;
	node_tell(node, status);
	return 0;
}

static bool
is_empty(const struct node *directory)
{
	LIST_EACH (link, &disk.nodes)
		if (is_below(CONTAINER_OF(link, struct node, link)->path, directory))
			return false;
	return true;
}

int
disk_unlink(const char *path, bool is_directory)
{
	struct node *node = find(path);

	if (node == NULL)
		return -1;
	if (S_ISDIR(node->mode) != is_directory)
		return failed(is_directory ? ENOTDIR : EISDIR);
	if (strcmp(node->path, disk.directory) == 0)
		return failed(EBUSY);
	if (is_directory && !is_empty(node))
		return failed(ENOTEMPTY);
	take_name(node);
	return 0;
}

/* What is below the directory moves with it. */
static void
move(struct node *node, const char *to)
{
	size_t length = strlen(node->path);
	char path[2 * PATH_MAX];

	LIST_EACH (link, &disk.nodes) {
		struct node *each = CONTAINER_OF(link, struct node, link);

		if (each == node || !is_below(each->path, node))
			continue;
		strcpy(stpcpy(path, to), each->path + length);
		free(each->path);
		each->path = need(strdup(path));
	}
	free(node->path);
	node->path = need(strdup(to));
}

int
disk_rename(const char *from, const char *to)
{
	struct node *node = find(from), *other;
	char simple[PATH_MAX];

	simplify(simple, to);
	if (node == NULL || !has_parent(simple))
		return -1;
	other = find_simple(simple);
	if (other == node)
		return 0;
	if (is_below(simple, node))
		return failed(EINVAL);
	if (other != NULL && S_ISDIR(other->mode) != S_ISDIR(node->mode))
		return failed(S_ISDIR(other->mode) ? EISDIR : ENOTDIR);
	if (other != NULL && !is_empty(other))
		return failed(ENOTEMPTY);
	if (other != NULL)
		take_name(other);
	move(node, simple);
	return 0;
}

int
disk_mkdir(const char *path, mode_t mode)
{
	char simple[PATH_MAX];

	simplify(simple, path);
	if (find_simple(simple) != NULL)
		return failed(EEXIST);
	if (!has_parent(simple))
		return -1;
	node_new(simple, S_IFDIR | (mode & 07777));
	return 0;
}
