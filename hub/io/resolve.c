/* Each lookup runs once on a resolver thread, for all callers that ask for the same name meanwhile.
 * A lookup is freed by its last user, which may be the thread: a caller that is killed leaves, and
 * the lookup goes on. All lists are under the mutex of the threads. */
#include "hub/io/resolve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hub/base/check.h"
#include "hub/base/kernel.h"
#include "hub/fork_priv.h"
#include "hub/thread/offload.h"
#include "hub/thread/threads_priv.h"
#include "hub/thread/waiter_priv.h"

static struct threads threads = THREADS("resolver", "HUBBUB_RESOLVER_THREADS", 4, threads);

/* Lookups that run or wait for a thread; under the mutex of the threads. */
static struct list lookups = {&lookups, &lookups};

/* One lookup, and the coroutines that wait for it. */
struct lookup {
	struct threads_job job;
	struct list link;    /* in lookups, until it is done */
	struct list waiters; /* struct thread_waiter */
	unsigned users;      /* waiting callers, and the thread until it is done; under the mutex */
	struct addrinfo hints;
	struct addrinfo *addresses; /* the C library's */
	int error;
	int system_error; /* errno of EAI_SYSTEM */
	char *host;       /* NULL, or in text */
	char *service;
	char text[];
};

/* ---- copies of addresses, each in one piece of memory ---- */

static size_t
copy_size(const struct addrinfo *from)
{
	size_t size = 0;

	for (; from != NULL; from = from->ai_next) {
		size += sizeof *from + sizeof(struct sockaddr_storage);
		if (from->ai_canonname != NULL)
			size += strlen(from->ai_canonname) + 1;
	}
	return size;
}

/* Copies a list of addresses into one block: the records, then the addresses, then the names. NULL
 * without memory. */
static struct addrinfo *
copy(const struct addrinfo *from)
{
	size_t count = 0, index = 0, size = copy_size(from);
	struct addrinfo *to = malloc(size);
	struct sockaddr_storage *addresses;
	char *names;

	if (to == NULL)
		return NULL;
	for (const struct addrinfo *each = from; each != NULL; each = each->ai_next)
		count++;
	addresses = (struct sockaddr_storage *)(void *)(to + count);
	names = (char *)(addresses + count);
	for (; from != NULL; from = from->ai_next, index++) {
		to[index] = *from;
		to[index].ai_next = from->ai_next != NULL ? &to[index + 1] : NULL;
		memcpy(&addresses[index], from->ai_addr, from->ai_addrlen);
		to[index].ai_addr = (struct sockaddr *)&addresses[index];
		if (from->ai_canonname == NULL)
			continue;
		to[index].ai_canonname = strcpy(names, from->ai_canonname);
		names += strlen(names) + 1;
	}
	CHECK(index == count && names == (char *)to + size);
	return to;
}

void
hub_freeaddrinfo(struct addrinfo *result)
{
	free(result);
}

/* ---- lookups ---- */

/* Gives up one use of the lookup. The mutex is locked. */
static void
release(struct lookup *lookup)
{
	CHECK(lookup->users > 0);
	/* If only the thread is left, and it has not begun, the lookup is cancelled. */
	if (--lookup->users == 1 && threads_cancel(&lookup->job)) {
		list_remove(&lookup->link);
		lookup->users = 0;
	}
	if (lookup->users > 0)
		return;
	CHECK(list_is_empty(&lookup->link) && list_is_empty(&lookup->waiters));
	CHECK(!lookup->job.is_queued);
	if (lookup->addresses != NULL)
		freeaddrinfo(lookup->addresses);
	free(lookup);
}

static void
look_up(struct threads_job *job)
{
	struct lookup *lookup = CONTAINER_OF(job, struct lookup, job);

	lookup->error = kernel_getaddrinfo(
		lookup->host, lookup->service, &lookup->hints, &lookup->addresses);
	lookup->system_error = errno;
}

/* Whether the thread and each waiter count as users; a caller that was killed may count still. */
static bool
are_users(const struct lookup *lookup)
{
	size_t count = 1;

	LIST_EACH (link, &lookup->waiters)
		count++;
	return lookup->users >= count;
}

/* The thread has ended the lookup: wakes all waiters. The mutex is locked. */
static void
looked_up(struct threads_job *job)
{
	struct lookup *lookup = CONTAINER_OF(job, struct lookup, job);
	struct thread_waiter *first;

	DCHECK(are_users(lookup));
	list_remove(&lookup->link);
	while ((first = thread_waiter_first(&lookup->waiters)) != NULL)
		thread_waiter_wake(first, 0);
	release(lookup);
}

static bool
is_same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* The mutex is locked. NULL if no lookup for that name is under way. */
static struct lookup *
lookup_find(const char *host, const char *service, const struct addrinfo *hints)
{
	LIST_EACH (link, &lookups) {
		struct lookup *lookup = CONTAINER_OF(link, struct lookup, link);

		if (lookup->hints.ai_flags == hints->ai_flags &&
			lookup->hints.ai_family == hints->ai_family &&
			lookup->hints.ai_socktype == hints->ai_socktype &&
			lookup->hints.ai_protocol == hints->ai_protocol &&
			is_same_text(lookup->host, host) && is_same_text(lookup->service, service))
			return lookup;
	}
	return NULL;
}

/* A lookup with copies of its arguments, which may outlive the caller's. NULL with errno. */
static struct lookup *
lookup_new(const char *host, const char *service, const struct addrinfo *hints)
{
	size_t host_size = host != NULL ? strlen(host) + 1 : 0;
	size_t service_size = service != NULL ? strlen(service) + 1 : 0;
	struct lookup *lookup = calloc(1, sizeof *lookup + host_size + service_size);

	if (lookup == NULL)
		return NULL;
	lookup->job = (struct threads_job){.run = look_up, .done = looked_up};
	list_init(&lookup->waiters);
	lookup->hints = *hints;
	if (host != NULL)
		lookup->host = memcpy(lookup->text, host, host_size);
	if (service != NULL)
		lookup->service = memcpy(lookup->text + host_size, service, service_size);
	return lookup;
}

/* Joins the lookup for that name, or begins one; the mutex is locked. NULL with errno. */
static struct lookup *
lookup_join(const char *host, const char *service, const struct addrinfo *hints)
{
	struct lookup *lookup = lookup_find(host, service, hints);
	int error;

	if (lookup != NULL) {
		CHECK(lookup->users > 0);
		lookup->users++;
		return lookup;
	}
	lookup = lookup_new(host, service, hints);
	if (lookup == NULL)
		return NULL;
	lookup->users = 2;
	error = threads_submit(&threads, &lookup->job);
	if (error != 0) {
		free(lookup);
		errno = error;
		return NULL;
	}
	list_append(&lookups, &lookup->link);
	return lookup;
}

/* Copies the addresses to *result. Returns 0 or EAI_... The mutex is locked. */
static int
take_result(const struct lookup *lookup, struct addrinfo **result)
{
	if (lookup->error == 0) {
		*result = copy(lookup->addresses);
		return *result != NULL ? 0 : EAI_MEMORY;
	}
	if (lookup->error == EAI_SYSTEM)
		errno = lookup->system_error;
	return lookup->error;
}

/* A conversion that the C library makes at once, in this thread. */
struct conversion {
	const char *host;
	const char *service;
	const struct addrinfo *hints;
	struct addrinfo *addresses;
	int error;
	int system_error;
};

static void *
convert_now(void *argument)
{
	struct conversion *c = argument;

	c->error = kernel_getaddrinfo(c->host, c->service, c->hints, &c->addresses);
	c->system_error = errno;
	return NULL;
}

/* Calls getaddrinfo(3) in this thread, on the thread's own stack, which is larger than a
 * coroutine's, and copies the result. */
static int
convert(const char *host, const char *service, const struct addrinfo *hints,
	struct addrinfo **result)
{
	struct conversion conversion = {.host = host, .service = service, .hints = hints};

	if (hub_on_thread_stack(convert_now, &conversion, NULL) != 0)
		convert_now(&conversion);
	errno = conversion.system_error;
	if (conversion.error != 0)
		return conversion.error;
	*result = copy(conversion.addresses);
	freeaddrinfo(conversion.addresses);
	return *result != NULL ? 0 : EAI_MEMORY;
}

/* Joins a lookup and waits for it. If no thread can be had, the conversion blocks this one. */
static int
wait_for(const char *host, const char *service, const struct addrinfo *hints,
	struct thread_waiter *waiter, struct addrinfo **result)
{
	struct lookup *lookup;
	int reason, error = EAI_SYSTEM;

	pthread_mutex_lock(&threads.mutex);
	lookup = lookup_join(host, service, hints);
	if (lookup == NULL) {
		reason = errno;
		pthread_mutex_unlock(&threads.mutex);
		threads_complain(&threads, reason);
		return convert(host, service, hints, result);
	}
	list_append(&lookup->waiters, &waiter->link);
	reason = thread_waiter_wait(waiter, &threads.mutex, "getaddrinfo", lookup);
	pthread_mutex_lock(&threads.mutex);
	/* It lies on this stack. */
	CHECK(list_is_empty(&waiter->link));
	if (reason == 0)
		error = take_result(lookup, result);
	else
		errno = reason;
	reason = errno;
	release(lookup);
	pthread_mutex_unlock(&threads.mutex);
	errno = reason;
	return error;
}

static bool
is_numeric_host(const char *host)
{
	unsigned char address[sizeof(struct in6_addr)];

	return host == NULL || inet_pton(AF_INET, host, address) == 1 ||
	       inet_pton(AF_INET6, host, address) == 1;
}

static bool
is_numeric_service(const char *service)
{
	return service == NULL || service[strspn(service, "0123456789")] == '\0';
}

int
hub_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
	struct addrinfo **result)
{
	/* The defaults of getaddrinfo(3). */
	static const struct addrinfo no_hints = {
		.ai_flags = AI_V4MAPPED | AI_ADDRCONFIG, .ai_family = AF_UNSPEC};
	struct addrinfo own = hints != NULL ? *hints : no_hints;
	bool is_numeric = is_numeric_host(host) && is_numeric_service(service);
	struct thread_waiter waiter;
	int error = 0;

	/* A numeric conversion does not switch, even if the loop is due. */
	if (!is_numeric)
		error = thread_waiter_init(&waiter);
	else if (hub_enter() == NULL)
		error = errno;
	if (error == ECANCELED || error == ETIMEDOUT) {
		errno = error;
		return EAI_SYSTEM;
	}
	if (is_numeric) {
		if (host != NULL)
			own.ai_flags |= AI_NUMERICHOST;
		own.ai_flags |= service != NULL ? AI_NUMERICSERV : 0;
		return convert(host, service, &own, result);
	}
	/* Outside of coroutines the thread waits. */
	if (error != 0 || waiter.coroutine == NULL)
		return convert(host, service, &own, result);
	return wait_for(host, service, &own, &waiter, result);
}

static void
reset(void)
{
	threads_reset(&threads);
	list_init(&lookups);
}

static __attribute__((constructor(200))) void
register_reset(void)
{
	fork_on_child(reset);
}
