/* The hub of the calling thread. */
#ifndef HUBBUB_RUN_PRIV_H
#define HUBBUB_RUN_PRIV_H

struct hub;

/* This thread's hub, made at the first call; NULL with errno ENOMEM. */
struct hub *hub_of_thread(void);

#endif
