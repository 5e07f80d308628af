/* The kernel itself keeps a path below the root, whatever ".." and symbolic links are in it. A path
 * that it has in memory is opened at once, another one in a thread that may block; the bytes go
 * from the page cache to the socket. */
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct opening {
	int root;
	const char *path;
	struct open_how how;
	int fd;
	int error;
};

static void *
open_below(void *argument)
{
	struct opening *opening = argument;

	opening->fd = (int)syscall(
		SYS_openat2, opening->root, opening->path, &opening->how, sizeof opening->how);
	opening->error = opening->fd < 0 ? errno : 0;
	return NULL;
}

/* Returns the fd, or -1 and errno. */
static int
open_file(int root, const char *path)
{
	struct opening opening = {.root = root,
		.path = path,
		/* The open of a FIFO does not wait for a writer. */
		.how = {.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
			.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_CACHED}};

	open_below(&opening);
	if (opening.error == EAGAIN || opening.error == EINVAL) {
		opening.how.resolve &= ~(__u64)RESOLVE_CACHED; /* Linux 5.12 */
		if (hub_offload(open_below, &opening, NULL) != 0)
			return -1;
	}
	errno = opening.error;
	return opening.fd;
}

/* A directory stands for its index. */
static int
open_path(int root, const char *path)
{
	static const char index[] = "index.html";
	char whole[PATH_SIZE + sizeof index];
	size_t length = strlen(path);

	memcpy(whole, path, length + 1);
	if (path[length - 1] == '/')
		memcpy(whole + length, index, sizeof index);
	/* Relative to the root. */
	return open_file(root, whole + strspn(whole, "/"));
}

static const char *
type_of(const char *path)
{
	static const char *const types[][2] = {{".html", "text/html; charset=utf-8"},
		{".txt", "text/plain; charset=utf-8"}, {".css", "text/css"},
		{".js", "text/javascript"}, {".json", "application/json"},
		{".svg", "image/svg+xml"}, {".png", "image/png"}, {".jpg", "image/jpeg"}};
	const char *dot = strrchr(path, '.');

	if (path[strlen(path) - 1] == '/')
		return types[0][1];
	for (size_t i = 0; dot != NULL && i < sizeof types / sizeof *types; i++)
		if (strcmp(dot, types[i][0]) == 0)
			return types[i][1];
	return "application/octet-stream";
}

static bool
answer_file(int client, struct hub_stream *stream, int fd, const struct request *request,
	struct answer *answer)
{
	struct stat status;
	off_t offset = 0;

	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
		return answer_status(answer, stream, 404, "there is no such file");
	answer->status = request->since >= status.st_mtime ? 304 : 200;
	answer->type = type_of(request->path);
	answer->modified = status.st_mtime;
	answer->length = (uint64_t)status.st_size;
	if (!answer_head(answer, stream))
		return false;
	if (answer->is_head_only || answer->status == 304 || status.st_size == 0)
		return true;
	/* If it has become shorter, the client must not wait for the rest. */
	return hub_stream_flush(stream) == 0 &&
	       hub_sendfile(client, fd, &offset, (size_t)status.st_size) == status.st_size;
}

bool
files_answer(int client, struct hub_stream *stream, int root, const struct request *request,
	struct answer *answer)
{
	int fd = open_path(root, request->path);
	bool goes_on;

	if (fd < 0 && (errno == ECANCELED || errno == ETIMEDOUT))
		return false;
	if (fd < 0 && errno == EACCES)
		return answer_status(answer, stream, 403, "the file is not for everybody");
	if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM))
		return answer_status(answer, stream, 503, "no file can be opened now");
	if (fd < 0)
		return answer_status(answer, stream, 404, "there is no such file");
	goes_on = answer_file(client, stream, fd, request, answer);
	hub_close(fd);
	return goes_on;
}
