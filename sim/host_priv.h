/* Hosts: machines of the world. */
#ifndef HUBBUB_SIM_HOST_PRIV_H
#define HUBBUB_SIM_HOST_PRIV_H

struct host;

/* The world has one host, of this name. */
struct host *hosts_begin(const char *name);
void hosts_end(void);

/* The host of that name; it comes into being if there is none. NULL without memory. */
struct host *host_named(const char *name);

const char *host_name(const struct host *host);

#endif
