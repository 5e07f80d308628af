/* Open files in memory. Reading and writing never wait, but a page that a reader does not wait for
 * (RWF_NOWAIT) may not be in the cache. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "hub/base/check.h"
#include "hub/base/failed.h"
#include "sim/kernel/disk_node_priv.h"
#include "sim/kernel/disk_priv.h"
#include "sim/kernel/file_priv.h"
#include "sim/world/world_priv.h"

struct opened {
	struct file file; /* must be first */
	struct node *node;
	off_t offset;
};

static struct opened *
opened_of(struct file *file)
{
	return (struct opened *)(void *)file;
}

static ssize_t
disk_receive(struct file *file, struct transfer *transfer)
{
	struct opened *opened = opened_of(file);
	const struct node *node = opened->node;
	off_t at = transfer->offset != NULL ? *transfer->offset : opened->offset;
	size_t done = 0;

	if (S_ISDIR(node->mode))
		return failed(EISDIR);
	/* A page may not be in the cache, which the caller does not wait for. */
	if (transfer->is_now && world_chance(world_options()->not_ready))
		return failed(EAGAIN);
	for (size_t i = 0; i < transfer->count && (size_t)at + done < node->size; i++) {
		size_t left = node->size - (size_t)at - done;
		size_t part = transfer->parts[i].iov_len < left ? transfer->parts[i].iov_len : left;

		memcpy(transfer->parts[i].iov_base, node->bytes + at + done, part);
		done += part;
	}
	if (transfer->offset == NULL)
		opened->offset += (off_t)done;
	return (ssize_t)done;
}

static ssize_t
disk_send(struct file *file, struct transfer *transfer)
{
	struct opened *opened = opened_of(file);
	struct node *node = opened->node;
	off_t at = transfer->offset != NULL ? *transfer->offset : opened->offset;
	size_t done = 0;

	if (file->flags & O_APPEND)
		at = (off_t)node->size;
	if (transfer->length != 0 && (size_t)at + transfer->length > node->size)
		node_resize(node, (size_t)at + transfer->length);
	for (size_t i = 0; i < transfer->count; i++) {
		memcpy(node->bytes + at + done, transfer->parts[i].iov_base,
			transfer->parts[i].iov_len);
		done += transfer->parts[i].iov_len;
	}
	node->changed_at = world_now();
	if (transfer->offset == NULL)
		opened->offset = at + (off_t)done;
	return (ssize_t)done;
}

static short
disk_ready(const struct file *file)
{
	(void)file;
	return POLLIN | POLLOUT;
}

static off_t
disk_seek(struct file *file, off_t offset, int whence)
{
	struct opened *opened = opened_of(file);
	off_t from = whence == SEEK_SET ? 0 : opened->offset;

	if (whence == SEEK_END)
		from = (off_t)opened->node->size;
	if ((whence != SEEK_SET && whence != SEEK_CUR && whence != SEEK_END) || from + offset < 0)
		return failed(EINVAL);
	return opened->offset = from + offset;
}

static int
disk_truncate(struct file *file, off_t length)
{
	struct node *node = opened_of(file)->node;

	if (length < 0 || file->access == O_RDONLY || S_ISDIR(node->mode))
		return failed(EINVAL);
	node_resize(node, (size_t)length);
	return 0;
}

static void
disk_tell(const struct file *file, struct stat *status)
{
	node_tell(((const struct opened *)(const void *)file)->node, status);
}

static void
disk_close(struct file *file)
{
	struct node *node = opened_of(file)->node;

	node->opened--;
	node_release(node);
}

static const struct file_kind disk_kind = {.what = "file",
	.type = S_IFREG,
	.receive = disk_receive,
	.send = disk_send,
	.ready = disk_ready,
	.seek = disk_seek,
	.truncate = disk_truncate,
	.tell = disk_tell,
	.free = disk_close};

struct file *
disk_open(const char *path, int flags, mode_t mode)
{
	struct node *node = node_open(path, flags, mode);
	struct opened *opened;

	if (node == NULL)
		return NULL;
	if ((flags & O_TRUNC) && (flags & O_ACCMODE) != O_RDONLY)
		node_resize(node, 0);
	opened = calloc(1, sizeof *opened);
	CHECK_WHY(opened != NULL, "no memory for a file of a simulated world");
	file_init(&opened->file, &disk_kind, 0);
	opened->file.access = flags & O_ACCMODE;
	opened->file.flags = flags & (O_APPEND | O_NONBLOCK);
	opened->node = node;
	node->opened++;
	return &opened->file;
}
