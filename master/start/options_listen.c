/* What one --listen stands for: the name of a listener, if there is one, and the addresses of a
 * host. A service says which names it has, and whether each takes connections, datagrams or both.
 */
#include "master/start/options_listen.h"

#include <stdio.h>
#include <string.h>

#include "master/start/service.h"

#define NAMES_SIZE 256 /* bytes of a text that lists the service's listeners */

#define complain(table, ...) table_complain_of(table, "listen", __VA_ARGS__)

/* Returns the same address if it is known, or NULL. With port 0 no two addresses are the same. */
static struct address *
find_address(struct options *options, const struct address *address)
{
	for (size_t i = 0; i < options->address_count; i++)
		if (!address_is_open(address) && address_is_same(&options->addresses[i], address))
			return &options->addresses[i];
	return NULL;
}

static void
add_address(struct options *options, struct table *table, const struct address *address)
{
	struct address *known = find_address(options, address);
	char text[ADDRESS_LISTENED_SIZE];

	if (known != NULL && strcmp(known->listener, address->listener) != 0) {
		address_format_listened(known, text);
		complain(table, "an address has one listener, and %s has one already", text);
	} else if (known != NULL) {
		/* If either option needs this very address, the server cannot do without it. */
		known->is_alternative = known->is_alternative && address->is_alternative;
	} else if (options->address_count == ADDRESSES_MAX) {
		complain(table, "more than %d addresses", ADDRESSES_MAX);
	} else {
		options->addresses[options->address_count++] = *address;
	}
}

/* Lists the names of the service's listeners, as far as there is room: "admin, metrics". */
static void
list_listeners(const struct hubbub_service *service, char text[static NAMES_SIZE])
{
	const struct hubbub_listener *listener = service->listeners;
	size_t length = 0;

	text[0] = '\0';
	for (; listener != NULL && listener->name != NULL && length < NAMES_SIZE; listener++)
		length += (size_t)snprintf(text + length, NAMES_SIZE - length, "%s%s",
			length > 0 ? ", " : "", listener->name);
}

/* Complains if the service has no listener of that name; "" stands for the service itself. A table
 * may be empty. */
static void
check_name(struct table *table, const struct hubbub_service *service, const char *text,
	const char *name)
{
	char names[NAMES_SIZE];

	list_listeners(service, names);
	if (name[0] != '\0' && service_listener(service, name) == NULL)
		complain(table, "'%s' is for a listener that %s does not have; it has %s", text,
			service->name, names[0] == '\0' ? "none with a name" : names);
	else if (name[0] == '\0' && service->serve == NULL && service->answer == NULL)
		complain(table, "'%s' needs a name: NAME=ADDRESS, for one of %s", text, names);
}

/* Complains if the listener does not take what comes at an address of that kind. */
static void
check_kind(struct table *table, const struct hubbub_service *service, const struct address *address)
{
	const struct hubbub_listener *listener = service_listener(service, address->listener);
	bool serves = listener != NULL ? listener->serve != NULL : service->serve != NULL;
	bool answers = listener != NULL ? listener->answer != NULL : service->answer != NULL;
	const char *name = listener != NULL ? listener->name : service->name;

	if (address->kind != ADDRESS_UDP && !serves)
		complain(table, "%s serves udp: addresses alone", name);
	else if (address->kind == ADDRESS_UDP && !answers)
		complain(table, "%s does not answer datagrams", name);
}

/* Adds the addresses that the --listen of that index stands for. */
static void
resolve(struct options *options, struct table *table, const struct hubbub_service *service,
	unsigned index)
{
	const char *text = options->listen.items[index], *rest = text, *why;
	char listener[ADDRESS_LISTENER_SIZE] = "";
	struct address found[ADDRESSES_MAX];
	unsigned name = index;
	size_t count;

	if (!address_take_listener(&rest, listener)) {
		complain(table,
			"'%s' has no valid name before '='; a name has up to %d lower-case "
			"letters, digits, - and _, and begins with a letter",
			text, ADDRESS_LISTENER_SIZE - 1);
		return;
	}
	check_name(table, service, text, listener);
	count = address_parse(rest, found, &why);
	if (count == 0)
		complain(table, "'%s' %s", text, why);
	/* A name that shares an address with an earlier one is taken for the same name. */
	for (size_t i = 0; i < count; i++) {
		const struct address *known = find_address(options, &found[i]);

		name = known != NULL ? known->name : name;
	}
	for (size_t i = 0; i < count; i++) {
		found[i].name = name;
		memcpy(found[i].listener, listener, sizeof listener);
		add_address(options, table, &found[i]);
		check_kind(table, service, &found[i]);
	}
}

void
options_resolve_listen(
	struct options *options, struct table *table, const struct hubbub_service *service)
{
	if (options->listen.count == 0)
		complain(table, "needed, because %s has no default address", service->name);
	for (size_t i = 0; i < options->listen.count && table->error[0] == '\0'; i++)
		resolve(options, table, service, (unsigned)i);
}
