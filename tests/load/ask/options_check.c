/* Checks of options against each other, one function for each subject. A message names an option as
 * the user gave it: on the command line, in a file, or by an environment variable. The checks run
 * once all values are in the load; some derive values that later checks look at. */
#include "tests/load/ask/options_check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "hub/base/clock.h"
#include "tests/load/ask/options_table.h"
#include "tests/load/ask/refuse.h"

#define INTERVAL_LEAST (10 * CLOCK_MILLISECOND)

/* refuse_of: ends the process on wrong usage of one option. named: the option as the user gave
 * it. */
#define refuse_of(parse, name, ...)                                                                \
	(table_complain_of(&(parse)->table, name, __VA_ARGS__), refuse("%s", (parse)->table.error))
#define named(parse, name) table_named(&(parse)->table, name, (char[TABLE_NAMED_SIZE]){0})

static void
check_messages(struct parse *parse)
{
	const struct load *load = parse->load;
	uint32_t least = sizes_least(&load->sizes);

	if (load->framing == MESSAGE_LEN32 && least < 5)
		refuse("%s=len32: messages have at least 5 bytes, not %u (%s)",
			named(parse, "framing"), least, named(parse, "size"));
	if (load->framing == MESSAGE_LINE && least < 2)
		refuse("%s=line: messages have at least 2 bytes, not %u (%s)",
			named(parse, "framing"), least, named(parse, "size"));
	if (load->verify == MESSAGE_HEADER && least < MESSAGE_HEAD + 4)
		refuse("%s=header: messages below %d bytes have no header (%s)",
			named(parse, "verify"), MESSAGE_HEAD + 4, named(parse, "size"));
}

static bool
is_given(const struct parse *parse, const char *name)
{
	return table_origin(&parse->table, parse->table.givens, name) != TABLE_DEFAULT;
}

/* --json means --output=-; of --json and --output the last one given wins. */
static void
settle_output(struct parse *parse)
{
	const struct table_givens *givens = parse->table.givens;
	struct load *load = parse->load;
	bool is_last = false;

	for (size_t i = 0; i < givens->count; i++) {
		const char *name = table_row(&parse->table, givens->items[i].row, NULL)->name;

		if (strcmp(name, "json") == 0 || strcmp(name, "output") == 0)
			is_last = strcmp(name, "json") == 0;
	}
	load->is_json = load->is_json && is_last;
	if (load->is_json)
		load->output = "-";
}

/* Refuses options about a single result, since a search and a sweep have many. */
static void
check_single(struct parse *parse)
{
	const struct load *load = parse->load;
	const bool sweeps = parse->purpose == OPTIONS_SWEEP, searches = load->search.count > 0;
	const struct {
		const char *name;
		bool is_refused;
	} cases[] = {{"hdr", load->hdr != NULL}, {"stream", load->stream != NULL},
		{"html", load->html != NULL && searches}, {"baseline", load->baseline != NULL},
		{"save-baseline", load->save_baseline != NULL}, {"repeat", load->repeat > 1},
		{"start-at", load->start_at != 0}, {"fail-if", load->fail_if_count > 0 && searches},
		{"abort-if", load->abort_if_count > 0 && searches}};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		if (cases[i].is_refused && searches)
			refuse_of(parse, cases[i].name,
				"a search has many results; use it in a run at the rate that the "
				"search finds");
		else if (cases[i].is_refused && sweeps)
			refuse_of(parse, cases[i].name,
				"a sweep has many results, and this option is about one");
}

static void
check_shape(struct parse *parse)
{
	const struct load *load = parse->load;
	bool has_plan = load->is_open || load->search.count > 0 || parse->purpose == OPTIONS_SWEEP;

	if (load->search.count > 0 && load->is_open)
		refuse("--search finds the rate: leave %s out", named(parse, "rate"));
	check_single(parse);
	if (!has_plan && strcmp(load->arrivals_text, "uniform") != 0)
		refuse_of(parse, "arrivals", "a closed loop has no plan; add --rate");
	if (!has_plan && load->deadline != LOAD_NEVER)
		refuse_of(parse, "deadline", "a closed loop has no plan; add --rate");
	if (load->is_open && is_given(parse, "closed"))
		refuse("%s and %s are two load shapes: choose one", named(parse, "closed"),
			named(parse, "rate"));
	if (parse->purpose == OPTIONS_SWEEP && load->is_open && load->rate.form != PLAN_CONSTANT)
		refuse("sweep: %s is the common rate of all shapes, so it must be constant",
			named(parse, "rate"));
}

/* Two formats cannot share stdout. */
static void
check_stdout(const struct load *load)
{
	const char *const paths[] = {load->output, load->stream, load->hdr, load->html};
	unsigned count = 0;

	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
		count += paths[i] != NULL && strcmp(paths[i], "-") == 0;
	for (size_t i = 0; i < 4; i++)
		for (size_t k = i + 1; k < 4; k++)
			if (paths[i] != NULL && paths[k] != NULL && strcmp(paths[i], "-") != 0 &&
				strcmp(paths[i], paths[k]) == 0)
				refuse("two outputs go to %s", paths[i]);
	if (count > 1)
		refuse("only one of --output, --stream, --hdr and --html can go to stdout ('-')");
}

/* --churn=0 only connects and closes: refuses options about messages. */
static void
check_knocks(struct parse *parse)
{
	const struct load *load = parse->load;

	if (strcmp(load->sizes_text, "64") != 0 || load->lifetime != LOAD_NEVER || load->slow > 0 ||
		load->close == LOAD_CLOSE_HALF || load->deadline != LOAD_NEVER)
		refuse("%s=0 sends no messages: it goes without --size, --lifetime, --slow, "
		       "--deadline and --close=half",
			named(parse, "churn"));
}

/* What is about idle connections needs some; and a connection that roams is never closed. */
static void
check_idle(struct parse *parse)
{
	const struct load *load = parse->load;

	if (load->redials && load->idle == 0)
		refuse_of(parse, "redial", "needs --idle");
	if (load->roam == 0)
		return;
	if (load->idle == 0)
		refuse_of(parse, "roam", "needs --idle");
	if (load->churn >= 0 || load->lifetime != LOAD_NEVER || load->slow > 0)
		refuse_of(parse, "roam",
			"leaves connections open, and goes without --churn, --lifetime and --slow");
}

/* HTTP allows several requests on their way, but hardly a client does so. */
static void
settle_http(struct parse *parse)
{
	if (parse->load->reply.kind != REPLY_HTTP || is_given(parse, "max-inflight"))
		return;
	parse->load->max_inflight = 1;
	table_set_standard(parse->rows, "max-inflight", "1");
}

static void
check_requests(struct parse *parse)
{
	static const char *const shapes[] = {"size", "framing"};
	struct load *load = parse->load;
	bool is_echo = load->reply.kind == REPLY_ECHO, has_requests = load->requests->count > 0;

	for (size_t i = 0; has_requests && i < sizeof shapes / sizeof *shapes; i++)
		if (is_given(parse, shapes[i]))
			refuse_of(parse, shapes[i], "a --request is sent as it is");
	if (is_echo && is_given(parse, "expect"))
		refuse_of(parse, "expect",
			"an echo is compared with what was sent; say with --reply how other "
			"replies end");
	if ((!is_echo && is_given(parse, "verify")) ||
		(has_requests && load->verify == MESSAGE_HEADER))
		refuse_of(
			parse, "verify", "only messages for an echo are verified so; see --expect");
	if ((load->reply.kind == REPLY_HTTP || load->reply.kind == REPLY_RESP) && !has_requests)
		refuse_of(parse, "reply", "needs a --request, such as %s",
			load->reply.kind == REPLY_HTTP ? "'GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n'"
						       : "'PING\\r\\n'");
	if (load->is_datagrams && (has_requests || !is_echo))
		refuse_of(parse, has_requests ? "request" : "reply",
			"udp: targets must echo: replies may come in another order");
	if (load->churn == 0 && (has_requests || !is_echo))
		refuse("%s=0 sends no messages: it goes without --request and --reply",
			named(parse, "churn"));
	settle_http(parse);
}

/* Refuses gates that no run of this load could breach: they would only seem to guard something. */
static void
check_gates(struct parse *parse)
{
	const struct load *load = parse->load;

	for (unsigned i = 0; i < load->fail_if_count && !load->is_open; i++)
		if (gate_uses_lag(&load->fail_if[i]))
			refuse_of(parse, "fail-if", "'%s': a closed loop has no lag; add --rate",
				load->fail_if[i].text);
}

/* A comparison needs LOAD_SAMPLES_MIN samples, which are intervals where there are fewer runs:
 * shortens the default interval, or refuses. */
static void
check_baseline(struct parse *parse)
{
	struct load *load = parse->load;
	const char *name = load->baseline != NULL ? "baseline" : "save-baseline";
	int64_t interval = load->duration / (2 * LOAD_SAMPLES_MIN);

	if ((load->baseline == NULL && load->save_baseline == NULL) ||
		load->duration == LOAD_NEVER || load->repeat >= LOAD_SAMPLES_MIN)
		return;
	if (!is_given(parse, "interval") && interval < load->interval) {
		load->interval = interval > INTERVAL_LEAST ? interval : INTERVAL_LEAST;
		table_set_standard(parse->rows, "interval", NULL);
	}
	if (load->duration / load->interval * load->repeat < LOAD_SAMPLES_MIN)
		refuse_of(parse, name,
			"so short a run has fewer than %d intervals; use --repeat=%d",
			LOAD_SAMPLES_MIN, LOAD_SAMPLES_MIN);
}

/* The load's TLS client; lasts as long as the process. */
static struct hub_tls *client_tls;

static void
free_client_tls(void)
{
	hub_tls_free(client_tls);
}

/* Refuses the options that only TLS needs. */
static void
refuse_without_tls(struct parse *parse)
{
	static const char *const names[] = {
		"tls-ca", "tls-insecure", "tls-cert", "tls-key", "alpn"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (is_given(parse, names[i]))
			refuse_of(parse, names[i], "needs --tls");
}

static void
check_tls(struct parse *parse)
{
	struct load *load = parse->load;

	if (!load->has_tls)
		refuse_without_tls(parse);
	if ((load->certificate == NULL) != (load->key == NULL))
		refuse_of(parse, load->key == NULL ? "tls-cert" : "tls-key", "needs --%s",
			load->key == NULL ? "tls-key" : "tls-cert");
	if (!load->has_tls)
		return;
	if (load->is_datagrams)
		refuse("%s does not go with udp: targets", named(parse, "tls"));
	if (load->kernel_times)
		refuse("%s does not go with %s: a TLS record may come in parts",
			named(parse, "kernel-ts"), named(parse, "tls"));
	load->tls = client_tls = hub_tls_client_new(load->authorities);
	atexit(free_client_tls);
	if (load->tls == NULL)
		refuse_of(parse, "tls-ca", "%s", hub_tls_why());
	if (load->certificate != NULL &&
		hub_tls_use_certificate(load->tls, load->certificate, load->key) != 0)
		refuse_of(parse, "tls-cert", "%s", hub_tls_why());
	if (load->alpn[0] != NULL && hub_tls_set_protocols(load->tls, load->alpn, false) != 0)
		refuse_of(parse, "alpn", "%s", hub_tls_why());
	if (load->trusts_anybody)
		hub_tls_trust_anybody(load->tls);
}

#define DATAGRAM_MOST 65507 /* bytes that fit into an IPv4 packet after both headers */

static void
check_datagrams(struct parse *parse)
{
	struct load *load = parse->load;
	unsigned count = 0;

	for (unsigned i = 0; i < load->target_count; i++)
		count += load->targets[i].kind == ADDRESS_UDP;
	if (count == 0)
		return;
	if (count < load->target_count)
		refuse("udp: targets and others do not go together");
	load->is_datagrams = true;
	if (sizes_least(&load->sizes) < MESSAGE_HEAD || sizes_most(&load->sizes) > DATAGRAM_MOST)
		refuse_of(parse, "size",
			"datagrams have %d to %d bytes here: replies may come in "
			"another order, and are identified by their first %d bytes",
			MESSAGE_HEAD, DATAGRAM_MOST, MESSAGE_HEAD);
	if (load->proxy_header != LOAD_PROXY_OFF)
		refuse_of(parse, "proxy-header",
			"there is no connection to begin with one with udp: targets");
	if (load->framing != MESSAGE_RAW)
		refuse_of(parse, "framing", "a datagram needs no framing");
	if (load->idle > 0)
		refuse_of(parse, "idle", "there is no connection to hold with udp: targets");
	if (load->churn == 0)
		refuse("%s=0: there is no handshake with udp: targets", named(parse, "churn"));
}

void
options_check(struct parse *parse)
{
	struct load *load = parse->load;

	if (load->count != 0 && load->is_open && load->rate.form != PLAN_CONSTANT)
		refuse("%s goes with a constant %s; a ramp or staircase needs --duration",
			named(parse, "count"), named(parse, "rate"));
	if (load->count != 0 && !is_given(parse, "duration"))
		load->duration = LOAD_NEVER;
	/* With even arrivals the time that so many messages take is known. */
	if (load->count != 0 && load->is_open && load->arrivals != PLAN_POISSON &&
		(double)load->count / load->rate.from * 1e9 < (double)load->duration)
		load->duration = (int64_t)ceil((double)load->count / load->rate.from * 1e9);
	if (load->duration == LOAD_NEVER)
		table_set_standard(parse->rows, "duration", NULL);
	if (!is_given(parse, "warmup") && load->count != 0)
		load->warmup = 0;
	check_shape(parse);
	settle_output(parse);
	check_stdout(load);
	if (load->connections == 0 && load->is_open)
		refuse("%s=0 leaves no connection to send on: leave %s out",
			named(parse, "connections"), named(parse, "rate"));
	if (load->connections > 0 && load->connections < load->target_count)
		refuse("%s=%u leaves some of the %u targets without a connection",
			named(parse, "connections"), load->connections, load->target_count);
	check_gates(parse);
	check_baseline(parse);
	if (load->connections == 0 && load->idle == 0)
		refuse("%s=0 needs --idle", named(parse, "connections"));
	check_idle(parse);
	if (load->slow > load->connections)
		refuse_of(parse, "slow", "%u are more than the %u connections", load->slow,
			load->connections);
	if (load->churn == 0)
		check_knocks(parse);
	load->limits_reconnects = is_given(parse, "connect-rate");
	load->rate.warmup = (double)load->warmup / 1e9;
	load->rate.duration = load->duration == LOAD_NEVER ? 1e9 : (double)load->duration / 1e9;
	check_messages(parse);
	check_datagrams(parse);
	check_requests(parse);
	check_tls(parse);
}
