/* Stream sockets: TCP over IPv4 and IPv6, and Unix. */
#ifndef HUBBUB_SIM_STREAM_PRIV_H
#define HUBBUB_SIM_STREAM_PRIV_H

struct file;

/* NULL without memory. */
struct file *stream_new(int family);

#endif
