/* Cargo: what a message over a Unix socket carries beside its bytes. Descriptors, as files on their
 * way (SCM_RIGHTS), and who has sent them (SCM_CREDENTIALS). */
#ifndef HUBBUB_SIM_CARGO_PRIV_H
#define HUBBUB_SIM_CARGO_PRIV_H

#include <sys/socket.h>

struct cargo;

/* Packs what the message's control messages name; *cargo is NULL if they name nothing. -1 with
 * errno, as sendmsg(2). */
int cargo_pack(const struct msghdr *message, struct cargo **cargo);

/* The same once more, for MSG_PEEK. */
struct cargo *cargo_copy(const struct cargo *cargo);

/* Gives the receiver as many descriptors as the message and the table have room for, the others are
 * dropped (MSG_CTRUNC). Flags are those of recvmsg(2). The cargo, which may be NULL, is gone. */
void cargo_unpack(struct cargo *cargo, struct msghdr *message, int flags);

/* Nobody receives it, or who receives does not want it. NULL is allowed. */
void cargo_drop(struct cargo *cargo);

/* Drops what is on its way over sockets that are on their way themselves, which nobody can receive
 * any more. */
void cargos_end(void);

#endif
