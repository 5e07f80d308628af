/* Limits of this machine on the files and ports of a load. */
#ifndef HUBBUB_LOAD_MACHINE_H
#define HUBBUB_LOAD_MACHINE_H

#include <stdint.h>

/* Raises the soft limit on open files to the hard one. Returns it. */
uint64_t machine_raise_files(void);

/* How many ports one pair of addresses has. */
double machine_ports(void);

/* Reads the numbers in a file under /proc/sys. Returns how many were read, up to 3. */
int machine_read(const char *name, double values[static 3]);

#endif
