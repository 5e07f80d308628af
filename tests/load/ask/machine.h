/* Limits of this machine that a load meets: open files, ports, and others under /proc/sys. */
#ifndef HUBBUB_LOAD_MACHINE_H
#define HUBBUB_LOAD_MACHINE_H

#include <stdint.h>

/* Raises this process's soft limit on open files to the hard limit. Returns the limit then in
 * force. */
uint64_t machine_raise_files(void);

/* How many ephemeral ports one pair of source and target address has. */
double machine_ports(void);

/* Reads up to 3 numbers from the file /proc/sys/name. Returns how many were read. */
int machine_read(const char *name, double values[static 3]);

#endif
