/* Hosts: machines of the world, each with a name, addresses and a clock of its own. Packets between
 * two of them may be cut off for a time. */
#ifndef HUBBUB_SIM_HOST_PRIV_H
#define HUBBUB_SIM_HOST_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct clock;
struct host;

/* The world has one host, of this name. */
struct host *hosts_begin(const char *name);
void hosts_end(void);

/* The host of that name; it comes into being if there is none. NULL without memory. */
struct host *host_named(const char *name);

/* The host of that name; NULL: there is none. */
struct host *host_find(const char *name);

const char *host_name(const struct host *host);

struct clock *host_clock(struct host *host);

/* Its address of that family, of 4 or 16 bytes. */
void host_address(const struct host *host, int family, unsigned char *address);

/* Whose address this is; NULL: nobody's. */
struct host *host_at(int family, const unsigned char *address);

/* Whether a packet that is about to arrive is lost, since the two are parted; NULL: one that stays
 * on its host. Trouble parts them
 * now and then, when there is a packet to lose. */
bool host_is_cut(const struct host *from, const struct host *to);

#endif
