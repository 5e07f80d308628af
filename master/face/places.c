/* The clients are in a list, the oldest first, and one timer runs for the oldest. There are few
 * places, so counting by address is quadratic. */
#include "master/face/places.h"

#include <netinet/in.h>
#include <string.h>

#include "hub/base/clock.h"
#include "master/base/timer.h"

/* Returns what counts as one origin: an IPv4 address, or a /64 network of IPv6, because providers
 * give a customer a whole one. */
static uint64_t
origin(const struct sockaddr *from)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)from;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)from;
	uint64_t network = 0;
	uint32_t mapped;

	if (from == NULL)
		return 0;
	if (from->sa_family == AF_INET)
		return v4->sin_addr.s_addr;
	if (from->sa_family != AF_INET6)
		return 0;
	memcpy(&mapped, &v6->sin6_addr.s6_addr[12], sizeof mapped);
	if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
		return mapped;
	memcpy(&network, v6->sin6_addr.s6_addr, sizeof network);
	return network;
}

static struct place *
place_of(struct list *link)
{
	return CONTAINER_OF(link, struct place, link);
}

static unsigned
count_from(const struct places *places, uint64_t from)
{
	unsigned count = 0;

	LIST_EACH (link, &places->taken)
		count += place_of(link)->from == from;
	return count;
}

/* Returns the place that gives way next: the oldest of the origin with the most places. NULL if no
 * place is taken. */
static struct place *
find_next(const struct places *places)
{
	struct place *next = NULL;
	unsigned most = 0;

	LIST_EACH (link, &places->taken) {
		unsigned count = count_from(places, place_of(link)->from);

		if (count > most)
			next = place_of(link);
		if (count > most)
			most = count;
	}
	return next;
}

static void
await_oldest(struct places *places)
{
	int64_t left;

	ev_timer_stop(places->loop, &places->timer);
	if (list_is_empty(&places->taken))
		return;
	left = place_of(places->taken.next)->since + places->patience - clock_now();
	timer_after(places->loop, &places->timer, left > 0 ? clock_seconds(left) : 0.);
}

static void
end(struct places *places, struct place *place)
{
	places_leave(places, place);
	places->end(place);
}

static void
on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct places *places = timer->data;
	int64_t now = clock_now();

	(void)loop, (void)events;
	while (!list_is_empty(&places->taken) &&
		place_of(places->taken.next)->since + places->patience <= now)
		end(places, place_of(places->taken.next));
	await_oldest(places);
}

void
places_init(struct places *places, struct ev_loop *loop, unsigned most, int64_t patience,
	void (*ends)(struct place *place))
{
	*places = (struct places){.loop = loop, .most = most, .patience = patience, .end = ends};
	list_init(&places->taken);
	ev_init(&places->timer, on_timer);
	/* A lower priority than input: if the master was stopped, what clients have sent meanwhile
	 * is read before their time counts as over. */
	ev_set_priority(&places->timer, -1);
	places->timer.data = places;
}

void
places_take(struct places *places, struct place *place, const struct sockaddr *from)
{
	if (places->count == places->most)
		places_yield(places);
	place->since = clock_now();
	place->from = origin(from);
	list_append(&places->taken, &place->link);
	places->count++;
	if (!ev_is_active(&places->timer))
		await_oldest(places);
}

void
places_leave(struct places *places, struct place *place)
{
	if (list_is_empty(&place->link))
		return;
	list_remove(&place->link);
	places->count--;
	if (places->count == 0)
		ev_timer_stop(places->loop, &places->timer);
}

bool
places_yield(struct places *places)
{
	struct place *next = find_next(places);

	if (next != NULL)
		end(places, next);
	return next != NULL;
}

void
places_fini(struct places *places)
{
	while (!list_is_empty(&places->taken))
		end(places, place_of(places->taken.next));
	ev_timer_stop(places->loop, &places->timer);
}
