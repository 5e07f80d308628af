/* The record comes from the program's source, so a fault is a mistake of its author. Each is found
 * before anything of it is used, and named by its field. */
#include "master/start/service.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "hub/base/room.h"
#include "master/sockets/address.h"
#include "worker/catalog.h"

#define PROTOCOL_NAME_MAX 255  /* bytes, by RFC 7301 */
#define BACKGROUND_NAME_MAX 31 /* bytes, as of a coroutine's name */

_Static_assert(HUBBUB_LISTENER_NAME_MAX + 1 == ADDRESS_LISTENER_SIZE, "the same names");

/* Whether the name can be part of a path and of a log line. */
static bool
is_name(const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < length; i++)
		if (name[i] == '/' || iscntrl((unsigned char)name[i]))
			return false;
	return length > 0 && length <= SERVICE_NAME_MAX && name[0] != '.' && name[0] != '-';
}

/* Whether each name can be that of a protocol (ALPN). NULL stands for none. */
static bool
are_protocols(const char *const *names)
{
	if (names == NULL)
		return true;
	for (; *names != NULL; names++)
		if (**names == '\0' || strlen(*names) > PROTOCOL_NAME_MAX)
			return false;
	return true;
}

/* Returns the first option whose field does not lie within the context; NULL if all do. */
static const struct hubbub_option *
find_outside(const struct hubbub_service *service)
{
	const struct hubbub_option *row = service->options;

	for (; row != NULL && row->name != NULL && service->context_size != 0; row++)
		if (row->size != 0 && (row->offset > service->context_size ||
					      row->size > service->context_size - row->offset))
			return row;
	return NULL;
}

/* Returns the first option whose room, reserved for later versions, is not NULL; NULL if there is
 * none. */
static const struct hubbub_option *
find_crowded(const struct hubbub_service *service)
{
	const struct hubbub_option *row = service->options;

	for (; row != NULL && row->name != NULL; row++)
		if (!ROOM_IS_EMPTY(row))
			return row;
	return NULL;
}

const struct hubbub_listener *
service_listener(const struct hubbub_service *service, const char *name)
{
	const struct hubbub_listener *listener = service->listeners;

	for (; listener != NULL && listener->name != NULL; listener++)
		if (strcmp(listener->name, name) == 0)
			return listener;
	return NULL;
}

/* Returns what is wrong with a listener; NULL if nothing is. */
static const char *
listener_fault(const struct hubbub_service *service, const struct hubbub_listener *listener)
{
	if (!address_is_listener(listener->name))
		return "is no name of up to 31 lower-case letters, digits, '-' and '_' that begins "
		       "with a letter";
	if (service_listener(service, listener->name) != listener)
		return "has the name of another listener";
	if (listener->serve == NULL && listener->answer == NULL)
		return "has neither serve, for connections, nor answer, for datagrams";
	if (!ROOM_IS_EMPTY(listener))
		return "has a room that " ROOM_IS_FULL;
	return NULL;
}

/* Returns a sentence, static until the next call; NULL if all listeners are sound. */
static const char *
listeners_fault(const struct hubbub_service *service)
{
	static char fault[256];
	const struct hubbub_listener *listener = service->listeners;
	const char *wrong = NULL;

	while (listener != NULL && listener->name != NULL &&
		(wrong = listener_fault(service, listener)) == NULL)
		listener++;
	if (wrong == NULL)
		return NULL;
	snprintf(fault, sizeof fault, "the service's listener '%.64s' %s", listener->name, wrong);
	return fault;
}

static bool
is_background_name(const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < length; i++)
		if (iscntrl((unsigned char)name[i]))
			return false;
	return length > 0 && length <= BACKGROUND_NAME_MAX;
}

/* Returns what is wrong with a row of the table that begins with first; NULL if nothing is. */
static const char *
find_wrong(const struct hubbub_background *first, const struct hubbub_background *row)
{
	const struct hubbub_background *other = first;

	if (!is_background_name(row->name))
		return "must have a name of 1 to 31 bytes without control characters";
	while (strcmp(other->name, row->name) != 0)
		other++;
	if (other != row)
		return "has the name of another";
	if (row->run == NULL)
		return "has no run";
	if ((unsigned)row->where > HUBBUB_ONE_OF_SERVER)
		return "is nowhere: its where is none of enum hubbub_where";
	if (!ROOM_IS_EMPTY(row))
		return "has a room that " ROOM_IS_FULL;
	return NULL;
}

/* Returns a sentence, static until the next call; NULL if all rows are sound. */
static const char *
background_fault(const struct hubbub_background *first)
{
	static char fault[160];
	const struct hubbub_background *row = first;
	const char *wrong = NULL;

	while (row != NULL && row->name != NULL && (wrong = find_wrong(first, row)) == NULL)
		row++;
	if (wrong == NULL)
		return NULL;
	snprintf(fault, sizeof fault, "background function %zu of the service %s",
		(size_t)(row - first) + 1, wrong);
	return fault;
}

const char *
service_fault(const struct hubbub_service *service)
{
	static char fault[CATALOG_FAULT_SIZE];
	const struct hubbub_option *outside, *crowded;
	const char *wrong;

	if (service == NULL)
		return "hubbub_main was given no service";
	if (service->name == NULL || !is_name(service->name)) {
		snprintf(fault, sizeof fault,
			"the service's name must have 1 to %d characters, no '/', and begin with "
			"neither '.' nor '-'",
			SERVICE_NAME_MAX);
		return fault;
	}
	if (service->version == NULL)
		return "the service has no version";
	if (service->serve == NULL && service->answer == NULL &&
		(service->listeners == NULL || service->listeners->name == NULL))
		return "the service has neither serve, for connections, nor answer, for datagrams";
	if (!are_protocols(service->protocols))
		return "the service's protocols are not names of 1 to 255 bytes, ended by NULL";
	if (service->needs_protocol && service->protocols == NULL)
		return "the service needs a protocol, but has none";
	if (service->context == NULL && service->context_size != 0)
		return "the service has a context_size, but no context";
	if (!ROOM_IS_EMPTY(service))
		return "the service's room " ROOM_IS_FULL;
	if (!ROOM_IS_EMPTY(&service->hooks))
		return "the room of the service's hooks " ROOM_IS_FULL;
	wrong = listeners_fault(service);
	if (wrong == NULL)
		wrong = background_fault(service->background);
	if (wrong != NULL)
		return wrong;
	if (!catalog_check(service->metrics, fault))
		return fault;
	crowded = find_crowded(service);
	if (crowded != NULL) {
		snprintf(fault, sizeof fault, "the room of the option --%s " ROOM_IS_FULL,
			crowded->name);
		return fault;
	}
	outside = find_outside(service);
	if (outside == NULL)
		return NULL;
	snprintf(fault, sizeof fault,
		"the field of the option --%s does not lie in the service's context_size bytes",
		outside->name);
	return fault;
}

void
service_count(const struct hubbub_service *service)
{
	const struct hubbub_listener *listener = service->listeners;

	catalog_add_service(service->metrics);
	if (listener == NULL || listener->name == NULL)
		return;
	if (service->serve != NULL || service->answer != NULL)
		catalog_add_listener(LISTENED_UNNAMED);
	for (; listener->name != NULL; listener++)
		catalog_add_listener(listener->name);
}
