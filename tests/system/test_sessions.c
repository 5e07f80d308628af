/* TLS sessions are resumed by any worker, over reloads and upgrades, for as long as their key and
 * certificate last. */
#include <criterion/criterion.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/certificate.h"
#include "tests/support/server.h"
#include "tests/support/session.h"

#define VISITS 16 /* enough that each hub gets some */

static struct server server;
static struct certificate certificate;
static struct session sessions[2] = {{.version = TLS1_2_VERSION}, {.version = TLS1_3_VERSION}};

static void
end(void)
{
	server_clean(&server);
	certificate_clean(&certificate);
	for (int i = 0; i < 2; i++)
		session_clean(&sessions[i]);
}

TestSuite(sessions, .fini = end, .timeout = 300);

static void
start(const char *more)
{
	cr_assert(certificate_make(&certificate));
	cr_assert(server_start(&server, "hubbub-echo", "2", "2", certificate.cert_option,
			  certificate.key_option, more, NULL),
		"%s", server.program.text);
}

/* Makes a visit with each version of TLS, and keeps the new sessions. */
static void
visit(enum session_visit expected, const char *when)
{
	for (int i = 0; i < 2; i++)
		cr_assert_eq(session_visit(&sessions[i], server.program.port, false), expected,
			"%s, version %x", when, sessions[i].version);
}

/* Whichever hub gets a visit resumes the present sessions. */
static void
visit_all(const char *when)
{
	for (int i = 0; i < 2; i++)
		for (int j = 0; j < VISITS; j++)
			cr_assert_eq(session_visit(&sessions[i], server.program.port, true),
				SESSION_RESUMED, "%s, version %x", when, sessions[i].version);
}

static void
change(const char *how)
{
	char output[1024];

	cr_assert_eq(server_ctl(&server, how, NULL, output, sizeof output), 0, "%s", output);
}

Test(sessions, they_outlast_reloads_and_upgrades_on_whichever_worker)
{
	start(NULL);
	visit(SESSION_NEW, "at first");
	visit_all("at first");
	change("reload");
	visit_all("after a reload");
	change("upgrade");
	visit_all("after an upgrade");
	change("upgrade");
	change("reload");
	visit_all("after both");
	/* Sessions of the new master are resumed, too. */
	visit(SESSION_RESUMED, "again");
	visit_all("again");
}

Test(sessions, another_certificate_has_other_keys)
{
	start(NULL);
	visit(SESSION_NEW, "at first");
	cr_assert(certificate_make(&certificate));
	change("reload");
	visit(SESSION_NEW, "after a reload");
	visit_all("after a reload");
	cr_assert(certificate_make(&certificate));
	change("upgrade");
	visit(SESSION_NEW, "after an upgrade");
	visit_all("after an upgrade");
}

/* Whether visits get tickets of another key than former; keeps their sessions. */
static bool
has_changed(const unsigned char former[static SESSION_NAME_SIZE])
{
	unsigned char name[SESSION_NAME_SIZE];
	struct session fresh = {.version = TLS1_3_VERSION};
	bool is_changed;

	cr_assert_eq(session_visit(&fresh, server.program.port, false), SESSION_NEW);
	cr_assert(session_key_name(&fresh, name));
	is_changed = memcmp(name, former, sizeof name) != 0;
	/* The last session of the former key should be as young as possible. */
	if (!is_changed) {
		session_clean(&sessions[1]);
		sessions[1] = fresh;
	} else {
		session_clean(&fresh);
	}
	return is_changed;
}

static bool
key_has_changed(void *former)
{
	return has_changed(former);
}

Test(sessions, keys_change_and_the_former_one_is_still_good)
{
	unsigned char first[SESSION_NAME_SIZE], second[SESSION_NAME_SIZE];
	struct session fresh = {.version = TLS1_3_VERSION}, *newest = &sessions[1];

	start("--tls-ticket-lifetime=10");
	visit(SESSION_NEW, "at first");
	cr_assert(session_key_name(newest, first));
	cr_assert(wait_until(key_has_changed, first, 60));
	cr_assert_eq(session_visit(newest, server.program.port, true), SESSION_RESUMED,
		"of the former key");
	/* Resumed by the new master, too; after that the first key is gone. */
	change("upgrade");
	cr_assert_eq(session_visit(&fresh, server.program.port, false), SESSION_NEW);
	cr_assert(session_key_name(&fresh, second));
	cr_assert_neq(memcmp(first, second, sizeof first), 0);
	session_clean(&fresh);
	cr_assert(wait_until(key_has_changed, second, 60));
}

Test(sessions, none_is_resumed_if_none_is_to_be)
{
	unsigned char name[SESSION_NAME_SIZE];

	start("--tls-ticket-lifetime=0");
	visit(SESSION_NEW, "at first");
	visit(SESSION_NEW, "again");
	for (int i = 0; i < 2; i++)
		cr_assert_not(
			session_key_name(&sessions[i], name), "version %x", sessions[i].version);
	change("reload");
	change("upgrade");
	visit(SESSION_NEW, "after both");
}
