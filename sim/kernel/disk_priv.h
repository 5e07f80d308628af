/* Files in memory: those below options->directory. They end with the world. */
#ifndef HUBBUB_SIM_DISK_PRIV_H
#define HUBBUB_SIM_DISK_PRIV_H

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

struct file;

/* Makes the directory itself; NULL: the world has none. */
void disk_begin(const char *directory);
void disk_end(void);

/* Whether the path is below the directory, or is it. */
bool disk_has(const char *path);

/* As open(2), for a path that disk_has. NULL with errno. */
struct file *disk_open(const char *path, int flags, mode_t mode);

/* As their namesakes of section 2. */
int disk_stat(const char *path, struct stat *status);
int disk_unlink(const char *path, bool is_directory);
int disk_rename(const char *from, const char *to);
int disk_mkdir(const char *path, mode_t mode);

#endif
