/* Name lookups, by other threads. The results are where libc would put them: in memory that
 * freeaddrinfo frees, in the caller's buffer, or, where libc has a buffer of each thread, in a
 * buffer of each coroutine. */
#include <arpa/inet.h>
#include <errno.h>
#include <hubbub/io/resolve.h>
#include <hubbub/local.h>
#include <stdlib.h>
#include <string.h>

#include "hub/patch/calls_priv.h"
#include "hub/patch/patch_priv.h"
#include "hub/patch/real_priv.h"

#define ENTRY_SIZE 4096
#define ENTRY_SIZE_MAX (1024 * 1024)

/* ---- getaddrinfo ---- */

/* A copy that libc's freeaddrinfo can free: the address lies behind the node, in one allocation.
 * NULL without memory. */
static struct addrinfo *
copy_node(const struct addrinfo *from)
{
	struct addrinfo *node = malloc(sizeof *node + from->ai_addrlen);

	if (node == NULL)
		return NULL;
	*node = *from;
	node->ai_next = NULL;
	node->ai_addr = memcpy(node + 1, from->ai_addr, from->ai_addrlen);
	if (from->ai_canonname != NULL &&
		(node->ai_canonname = strdup(from->ai_canonname)) == NULL) {
		free(node);
		return NULL;
	}
	return node;
}

int
patch_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
	struct addrinfo **result)
{
	struct addrinfo *found, *first = NULL, **last = &first;
	int error = hub_getaddrinfo(host, service, hints, &found);

	if (error != 0)
		return error;
	/* The application frees the result by libc's freeaddrinfo. */
	for (const struct addrinfo *each = found; each != NULL; each = each->ai_next) {
		*last = copy_node(each);
		if (*last == NULL) {
			if (first != NULL)
				freeaddrinfo(first);
			hub_freeaddrinfo(found);
			return EAI_MEMORY;
		}
		last = &(*last)->ai_next;
	}
	hub_freeaddrinfo(found);
	*result = first;
	return 0;
}

/* ---- libc's calls, by another thread, whose errno and h_errno come back ---- */

/* A call of libc: the arguments, of which run uses some, and what came of it. */
struct lookup {
	void (*run)(struct lookup *lookup);
	const void *name; /* or an address, or a query */
	const char *domain;
	socklen_t size; /* of an address or a query */
	int family;
	struct hostent *entry; /* this and the next three: of gethostby..._r */
	char *buffer;
	size_t room;
	struct hostent **found;
	char *host; /* this and the next four: of getnameinfo */
	socklen_t host_size;
	char *service;
	socklen_t service_size;
	int flags;
	res_state state; /* this and the next four: of res_... */
	int class;
	int type;
	unsigned char *answer;
	int answer_size;
	int result;
	int error;        /* errno */
	int lookup_error; /* h_errno */
};

static void *
run(void *argument)
{
	struct lookup *lookup = argument;

	lookup->run(lookup);
	lookup->error = errno;
	return NULL;
}

/* Makes the call in another thread. Returns whether it was made, with the errno that it left; if
 * not, with errno of hub_offload. */
static bool
look_up(struct lookup *lookup)
{
	if (patch_offload(run, lookup) != 0)
		return false;
	errno = lookup->error;
	return true;
}

static void
run_getnameinfo(struct lookup *l)
{
	l->result = REAL(getnameinfo)(
		l->name, l->size, l->host, l->host_size, l->service, l->service_size, l->flags);
}

int
patch_getnameinfo(const struct sockaddr *address, socklen_t size, char *host, socklen_t host_size,
	char *service, socklen_t service_size, int flags)
{
	struct lookup lookup = {.run = run_getnameinfo,
		.name = address,
		.size = size,
		.host = host,
		.host_size = host_size,
		.service = service,
		.service_size = service_size,
		.flags = flags};

	return look_up(&lookup) ? lookup.result : EAI_SYSTEM;
}

/* ---- gethostby... ---- */

static void
run_by_name(struct lookup *l)
{
	l->result = REAL(gethostbyname2_r)(
		l->name, l->family, l->entry, l->buffer, l->room, l->found, &l->lookup_error);
}

static void
run_by_any_name(struct lookup *l)
{
	l->result = REAL(gethostbyname_r)(
		l->name, l->entry, l->buffer, l->room, l->found, &l->lookup_error);
}

static void
run_by_address(struct lookup *l)
{
	l->result = REAL(gethostbyaddr_r)(l->name, l->size, l->family, l->entry, l->buffer, l->room,
		l->found, &l->lookup_error);
}

static int
finish_host(struct lookup *lookup, int *error)
{
	if (!look_up(lookup)) {
		*lookup->found = NULL;
		*error = NETDB_INTERNAL;
		return errno;
	}
	*error = lookup->lookup_error;
	return lookup->result;
}

int
patch_gethostbyname_r(const char *name, struct hostent *entry, char *buffer, size_t size,
	struct hostent **result, int *error)
{
	struct lookup lookup = {.run = run_by_any_name,
		.name = name,
		.entry = entry,
		.buffer = buffer,
		.room = size,
		.found = result};

	return finish_host(&lookup, error);
}

int
patch_gethostbyname2_r(const char *name, int family, struct hostent *entry, char *buffer,
	size_t size, struct hostent **result, int *error)
{
	struct lookup lookup = {.run = run_by_name,
		.name = name,
		.family = family,
		.entry = entry,
		.buffer = buffer,
		.room = size,
		.found = result};

	return finish_host(&lookup, error);
}

int
patch_gethostbyaddr_r(const void *address, socklen_t length, int family, struct hostent *entry,
	char *buffer, size_t size, struct hostent **result, int *error)
{
	struct lookup lookup = {.run = run_by_address,
		.name = address,
		.size = length,
		.family = family,
		.entry = entry,
		.buffer = buffer,
		.room = size,
		.found = result};

	return finish_host(&lookup, error);
}

/* For calls to which the caller gives no buffer: libc answers them in a buffer of the thread's,
 * this library in a buffer of the coroutine's. */
struct own_entry {
	struct hostent entry;
	size_t room;
	char buffer[];
};

static int own_key;
static pthread_once_t own_once = PTHREAD_ONCE_INIT;

static void
make_key(void)
{
	own_key = hub_local_new(free);
}

/* The coroutine's buffer, of room bytes at least. NULL without memory. */
static struct own_entry *
own_entry(size_t room)
{
	struct own_entry *own, *larger;

	pthread_once(&own_once, make_key);
	own = hub_local_get(own_key);
	if (own != NULL && own->room >= room)
		return own;
	larger = realloc(own, sizeof *own + room);
	if (larger == NULL)
		return NULL;
	larger->room = room;
	if (hub_local_set(own_key, larger) == 0)
		return larger;
	free(larger);
	return NULL;
}

/* Looks a host up with ever more room, until the answer fits. */
static struct hostent *
find_host(struct lookup lookup)
{
	struct hostent *found = NULL;
	int error = NETDB_INTERNAL, result = ERANGE;

	for (size_t room = ENTRY_SIZE; result == ERANGE && room <= ENTRY_SIZE_MAX; room *= 2) {
		struct own_entry *own = own_entry(room);

		if (own == NULL)
			break;
		lookup.entry = &own->entry;
		lookup.buffer = own->buffer;
		lookup.room = own->room;
		lookup.found = &found;
		result = finish_host(&lookup, &error);
	}
	h_errno = error;
	return found;
}

struct hostent *
patch_gethostbyname(const char *name)
{
	return find_host((struct lookup){.run = run_by_any_name, .name = name});
}

struct hostent *
patch_gethostbyname2(const char *name, int family)
{
	return find_host((struct lookup){.run = run_by_name, .name = name, .family = family});
}

struct hostent *
patch_gethostbyaddr(const void *address, socklen_t size, int family)
{
	return find_host((struct lookup){
		.run = run_by_address, .name = address, .size = size, .family = family});
}

/* ---- res_... ---- */

/* Makes a query with the caller's resolver state, or, if it brings none, with the thread's. */
static int
resolve(struct lookup lookup)
{
	struct __res_state copy;

	/* The thread's state is that of all its coroutines, and other coroutines run during the
	 * query: so each query gets a copy. */
	if (lookup.state == NULL) {
		if (!(_res.options & RES_INIT) && res_init() != 0)
			return -1;
		memset(&copy, 0, sizeof copy);
		if (res_ninit(&copy) != 0)
			return -1;
		copy.options = _res.options;
		copy.retrans = _res.retrans;
		copy.retry = _res.retry;
		copy.nscount = _res.nscount;
		memcpy(copy.nsaddr_list, _res.nsaddr_list, sizeof copy.nsaddr_list);
		lookup.state = &copy;
	}
	if (!look_up(&lookup)) {
		lookup.result = -1;
		lookup.lookup_error = NETDB_INTERNAL;
	}
	if (lookup.state == &copy) {
		int error = errno;

		res_nclose(&copy);
		errno = error;
	}
	h_errno = lookup.lookup_error;
	return lookup.result;
}

/* Asks by a name; only run_querydomain has a domain. */
static int
ask(void (*call)(struct lookup *lookup), res_state state, const char *name, const char *domain,
	int class, int type, unsigned char *answer, int size)
{
	return resolve((struct lookup){.run = call,
		.state = state,
		.name = name,
		.domain = domain,
		.class = class,
		.type = type,
		.answer = answer,
		.answer_size = size});
}

static void
run_query(struct lookup *l)
{
	l->result =
		REAL(res_nquery)(l->state, l->name, l->class, l->type, l->answer, l->answer_size);
	l->lookup_error = h_errno;
}

static void
run_search(struct lookup *l)
{
	l->result =
		REAL(res_nsearch)(l->state, l->name, l->class, l->type, l->answer, l->answer_size);
	l->lookup_error = h_errno;
}

static void
run_querydomain(struct lookup *l)
{
	l->result = REAL(res_nquerydomain)(
		l->state, l->name, l->domain, l->class, l->type, l->answer, l->answer_size);
	l->lookup_error = h_errno;
}

static void
run_send(struct lookup *l)
{
	l->result = REAL(res_nsend)(l->state, l->name, (int)l->size, l->answer, l->answer_size);
	l->lookup_error = h_errno;
}

int
patch_res_nquery(
	res_state state, const char *name, int class, int type, unsigned char *answer, int size)
{
	return ask(run_query, state, name, NULL, class, type, answer, size);
}

int
patch_res_query(const char *name, int class, int type, unsigned char *answer, int size)
{
	return patch_res_nquery(NULL, name, class, type, answer, size);
}

int
patch_res_nsearch(
	res_state state, const char *name, int class, int type, unsigned char *answer, int size)
{
	return ask(run_search, state, name, NULL, class, type, answer, size);
}

int
patch_res_search(const char *name, int class, int type, unsigned char *answer, int size)
{
	return patch_res_nsearch(NULL, name, class, type, answer, size);
}

int
patch_res_nquerydomain(res_state state, const char *name, const char *domain, int class, int type,
	unsigned char *answer, int size)
{
	return ask(run_querydomain, state, name, domain, class, type, answer, size);
}

int
patch_res_querydomain(
	const char *name, const char *domain, int class, int type, unsigned char *answer, int size)
{
	return patch_res_nquerydomain(NULL, name, domain, class, type, answer, size);
}

int
patch_res_nsend(
	res_state state, const unsigned char *query, int length, unsigned char *answer, int size)
{
	return resolve((struct lookup){.run = run_send,
		.state = state,
		.name = query,
		.size = (socklen_t)length,
		.answer = answer,
		.answer_size = size});
}

int
patch_res_send(const unsigned char *query, int length, unsigned char *answer, int size)
{
	return patch_res_nsend(NULL, query, length, answer, size);
}
