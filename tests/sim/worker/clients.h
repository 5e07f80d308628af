/* Clients of the echo service, each in a coroutine of its own: they connect, speak, wait, and
 * vanish, as is drawn for each. What each has seen is judged: an echo is right byte for byte, or an
 * error was seen, and where the server had promised to serve the client, that is counted apart. */
#ifndef HUBBUB_TESTS_SIM_WORKER_CLIENTS_H
#define HUBBUB_TESTS_SIM_WORKER_CLIENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Nanoseconds and numbers are drawn below these limits; of the kinds one of so many clients is of
 * that kind, 0: none. */
struct clients_manner {
	unsigned count;
	int64_t come_within; /* after clients_start */
	unsigned messages;   /* of each client */
	size_t length;       /* of a message */
	int64_t pause;       /* between two messages */
	unsigned vanishing;  /* closes without reading its last echo */
	unsigned resetting;  /* resets its connection */
	unsigned staying;    /* waits for the server to end the connection */
	unsigned slow;       /* pauses before each receive, too */
	bool has_proxy;      /* a PROXY header comes first, in pieces */
	unsigned lying;      /* its PROXY header is wrong */
	unsigned late;       /* its PROXY header never becomes whole */
	int foreign;         /* family whose PROXY headers the server does not trust; 0: none */
	unsigned deaf;       /* sends and sends, and reads nothing */
	/* The server's timeouts: one that stays has its last echo for so long at most, and one that
	 * is deaf is cut after so long; 0: none. */
	int64_t idle_most, write_most;
};

/* How many clients have had which end. */
struct clients_ends {
	unsigned whole;  /* all echoes were right */
	unsigned left;   /* of its own accord */
	unsigned ended;  /* by the server, as it may: between two messages, or after its deadline */
	unsigned denied; /* rightly: for its PROXY header, or the server left */
	unsigned refused; /* not connected, though the server served */
	unsigned cut;     /* with a part of an echo missing, before the server's deadline */
	unsigned wrong;   /* an echo was wrong */
	unsigned kept;    /* for longer than a timeout of the server allows */
};

/* Starts the clients: of the server (server.h), each at one of its addresses. */
void clients_start(const struct clients_manner *manner);

/* Waits until all have ended. */
struct clients_ends clients_wait(void);

/* All of them. */
unsigned clients_sum(const struct clients_ends *ends);

#endif
