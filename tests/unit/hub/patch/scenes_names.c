/* Calls that look up names: in the hosts file, and at a name server of the test's. */
#include "tests/unit/hub/patch/scenes.h"
#include <arpa/inet.h>
#include <hubbub/hub.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <string.h>
#include <sys/socket.h>

static void
call_getaddrinfo(struct scene *s)
{
	struct addrinfo *found = NULL;

	SCENE_CALL(s, getaddrinfo("localhost", "80", NULL, &found));
	if (found != NULL)
		freeaddrinfo(found);
}

static void
call_getnameinfo(struct scene *s)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	SCENE_CALL(s, getnameinfo((struct sockaddr *)&address, sizeof address, s->buffer, 100, NULL,
			      0, NI_NUMERICHOST));
	s->result = s->result == 0 && strcmp(s->buffer, "127.0.0.1") == 0 ? 0 : -1;
}

static void
record_host(struct scene *s, const struct hostent *entry)
{
	s->result = entry != NULL && strcmp(entry->h_name, "localhost") == 0 ? 0 : -1;
}

static void
call_gethostbyname(struct scene *s)
{
	record_host(s, gethostbyname("localhost"));
}

static void
call_gethostbyname2(struct scene *s)
{
	record_host(s, gethostbyname2("localhost", AF_INET));
}

static void
call_gethostbyaddr(struct scene *s)
{
	struct in_addr address = {htonl(INADDR_LOOPBACK)};

	record_host(s, gethostbyaddr(&address, sizeof address, AF_INET));
}

static void
call_gethostbyname_r(struct scene *s)
{
	struct hostent entry, *found = NULL;
	int error;

	gethostbyname_r("localhost", &entry, s->buffer, sizeof s->buffer, &found, &error);
	record_host(s, found);
}

static void
call_gethostbyname2_r(struct scene *s)
{
	struct hostent entry, *found = NULL;
	int error;

	gethostbyname2_r("localhost", AF_INET, &entry, s->buffer, sizeof s->buffer, &found, &error);
	record_host(s, found);
}

static void
call_gethostbyaddr_r(struct scene *s)
{
	struct in_addr address = {htonl(INADDR_LOOPBACK)};
	struct hostent entry, *found = NULL;
	int error;

	gethostbyaddr_r(&address, sizeof address, AF_INET, &entry, s->buffer, sizeof s->buffer,
		&found, &error);
	record_host(s, found);
}

/* A server of names that answers everything with "no such name", after a while. */
static void
make_name_server(struct scene *s)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof address;

	s->ends[0] = socket(AF_INET, SOCK_DGRAM, 0);
	bind(s->ends[0], (struct sockaddr *)&address, sizeof address);
	getsockname(s->ends[0], (struct sockaddr *)&address, &size);
	res_init();
	_res.nscount = 1;
	_res.nsaddr_list[0] = address;
	_res.retrans = 10;
}

static void
answer_names(struct scene *s)
{
	unsigned char query[512];

	while (!s->has_ended) {
		struct sockaddr_in client;
		socklen_t size = sizeof client;
		ssize_t length = recvfrom(s->ends[0], query, sizeof query, MSG_DONTWAIT,
			(struct sockaddr *)&client, &size);

		if (length > 3) {
			query[2] |= 0x80;
			query[3] = 0x83;
			sendto(s->ends[0], query, (size_t)length, 0, (struct sockaddr *)&client,
				size);
		}
		hub_sleep(0);
	}
}

static void
record_query(struct scene *s, int result)
{
	s->result = result == -1 && h_errno == HOST_NOT_FOUND ? 0 : -1;
}

static void
call_res_query(struct scene *s)
{
	record_query(s, res_query("hubbub.test", 1, 1, (unsigned char *)s->buffer, 512));
}

static void
call_res_search(struct scene *s)
{
	record_query(s, res_search("hubbub.test.", 1, 1, (unsigned char *)s->buffer, 512));
}

static void
call_res_querydomain(struct scene *s)
{
	record_query(s, res_querydomain("hubbub", "test", 1, 1, (unsigned char *)s->buffer, 512));
}

static void
call_res_send(struct scene *s)
{
	unsigned char query[512];
	int length = res_mkquery(0, "hubbub.test", 1, 1, NULL, 0, NULL, query, sizeof query);

	s->result = res_send(query, length, (unsigned char *)s->buffer, 512) > 0 ? 0 : -1;
}

static void
call_res_nquery(struct scene *s)
{
	record_query(s, res_nquery(&_res, "hubbub.test", 1, 1, (unsigned char *)s->buffer, 512));
}

static void
call_res_nsearch(struct scene *s)
{
	record_query(s, res_nsearch(&_res, "hubbub.test.", 1, 1, (unsigned char *)s->buffer, 512));
}

static void
call_res_nquerydomain(struct scene *s)
{
	record_query(s,
		res_nquerydomain(&_res, "hubbub", "test", 1, 1, (unsigned char *)s->buffer, 512));
}

static void
call_res_nsend(struct scene *s)
{
	unsigned char query[512];
	int length = res_mkquery(0, "hubbub.test", 1, 1, NULL, 0, NULL, query, sizeof query);

	s->result = res_nsend(&_res, query, length, (unsigned char *)s->buffer, 512) > 0 ? 0 : -1;
}

const struct scene_case scenes_of_names[] = {
	{"getaddrinfo", NULL, call_getaddrinfo, NULL, 0, 0},
	{"getnameinfo", NULL, call_getnameinfo, NULL, 0, 0},
	{"gethostbyname", NULL, call_gethostbyname, NULL, 0, 0},
	{"gethostbyname2", NULL, call_gethostbyname2, NULL, 0, 0},
	{"gethostbyaddr", NULL, call_gethostbyaddr, NULL, 0, 0},
	{"gethostbyname_r", NULL, call_gethostbyname_r, NULL, 0, 0},
	{"gethostbyname2_r", NULL, call_gethostbyname2_r, NULL, 0, 0},
	{"gethostbyaddr_r", NULL, call_gethostbyaddr_r, NULL, 0, 0},
	{"res_query", make_name_server, call_res_query, answer_names, 0, SCENE_NEEDS_THREADS},
	{"res_search", make_name_server, call_res_search, answer_names, 0, SCENE_NEEDS_THREADS},
	{"res_querydomain", make_name_server, call_res_querydomain, answer_names, 0,
		SCENE_NEEDS_THREADS},
	{"res_send", make_name_server, call_res_send, answer_names, 0, SCENE_NEEDS_THREADS},
	{"res_nquery", make_name_server, call_res_nquery, answer_names, 0, SCENE_NEEDS_THREADS},
	{"res_nsearch", make_name_server, call_res_nsearch, answer_names, 0, SCENE_NEEDS_THREADS},
	{"res_nquerydomain", make_name_server, call_res_nquerydomain, answer_names, 0,
		SCENE_NEEDS_THREADS},
	{"res_nsend", make_name_server, call_res_nsend, answer_names, 0, SCENE_NEEDS_THREADS},
	{0},
};
