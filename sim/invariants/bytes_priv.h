/* The bytes of the hub's calls: what the door tells of. */
#ifndef HUBBUB_SIM_BYTES_PRIV_H
#define HUBBUB_SIM_BYTES_PRIV_H

#include <sys/types.h>

struct file;
struct hub;
struct transfer;

/* The file has taken so many bytes of the transfer, or given them. */
void bytes_taken(const struct file *file, const struct transfer *transfer, ssize_t length);
void bytes_given(const struct file *file, const struct transfer *transfer, ssize_t length);

/* The hub's calls will never return. */
void bytes_forget(const struct hub *hub);

/* The run ends. */
void bytes_end(void);

#endif
