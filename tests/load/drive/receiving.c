/* Every received byte is compared with the byte that the awaited reply must have at that place; the
 * reply itself is not stored. The first byte that differs is diagnosed, and the first offence of a
 * thread is kept in words. After an offence the stream's position is unknown, so its connection is
 * given up. */
#include "tests/load/drive/receiving.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "master/base/printable.h"
#include "tests/load/drive/answer.h"
#include "tests/load/drive/driver.h"
#include "tests/load/drive/message.h"

/* A connection's number as THREAD.NUMBER (driver_number). */
#define CONNECTION_FORMAT "%llu.%llu"
#define CONNECTION_VALUES(number)                                                                  \
	(unsigned long long)((number) >> 28) - 1, (unsigned long long)(number)&0xfffffff

#define REFUSAL_SHOWN 120 /* bytes */

/* ---- offences ---- */

/* Counts the fault; the thread's first one is kept in words, for the report. */
static void __attribute__((format(printf, 4, 5))) offend(struct driver *driver,
	const struct message *message, enum message_fault fault, const char *format, ...)
{
	struct row *row = driver->row;
	char detail[SEGMENT_TEXT_SIZE / 2];
	va_list arguments;

	tally_add(&row->tally.faults[fault], 1);
	if (row->offence[0] != '\0')
		return;
	va_start(arguments, format);
	vsnprintf(detail, sizeof detail, format, arguments);
	va_end(arguments);
	snprintf(row->offence, sizeof row->offence,
		"%s: connection " CONNECTION_FORMAT ", message %llu: %s",
		message_fault_names[fault], CONNECTION_VALUES(message->connection),
		(unsigned long long)message->sequence, detail);
}

/* Reports that bytes[wrong] is not the message's byte; the message would begin at bytes[start]. */
static void
report_wrong(struct driver *driver, const struct message *message, const char *bytes, size_t length,
	ptrdiff_t start, size_t wrong)
{
	struct message other = {0};
	enum message_fault fault = message_diagnose(message, bytes, length, start, wrong, &other);
	uint32_t offset = (uint32_t)((ptrdiff_t)wrong - start), room = message->length - offset;
	char expected[ANSWER_SHOWN], expected_hex[ANSWER_HEX_SIZE], got_hex[ANSWER_HEX_SIZE],
		instead[96] = "";

	if (room > sizeof expected)
		room = sizeof expected;
	message_write(message, offset, expected, room);
	answer_hex(expected_hex, expected, room);
	answer_hex(got_hex, bytes + wrong, length - wrong);
	if (fault == MESSAGE_CROSSED || fault == MESSAGE_REORDERED || fault == MESSAGE_DUPLICATE)
		snprintf(instead, sizeof instead,
			"got message %llu of connection " CONNECTION_FORMAT "; ",
			(unsigned long long)other.sequence, CONNECTION_VALUES(other.connection));
	offend(driver, message, fault, "%soffset %u of %u bytes: expected %s, got %s", instead,
		offset, message->length, expected_hex, got_hex);
}

/* Reports bytes that came although every message was answered. */
static void
report_unasked(struct connection *connection, const char *bytes, size_t length)
{
	const struct message next = {connection->number, connection->next_reply, 0, 0};
	struct message other;
	enum message_fault fault = MESSAGE_EXTRA;
	uint64_t unanswered = connection->next_reply;
	char hex[ANSWER_HEX_SIZE];

	/* Of datagrams any message in flight may have been answered, not only the first. */
	if (connection->driver->load->is_datagrams)
		unanswered += connection->flying.count;
	if (message_read_head(bytes, length, &other)) {
		if (other.connection != connection->number)
			fault = MESSAGE_CROSSED;
		else if (other.sequence < unanswered)
			fault = MESSAGE_DUPLICATE;
	}
	offend(connection->driver, &next, fault, "%zu bytes more than %s: %s", length,
		connection->driver->load->reply.kind == REPLY_ECHO ? "were sent" : "were asked for",
		answer_hex(hex, bytes, length));
}

void
receiving_wrong(
	struct driver *driver, const struct message *message, const struct answer_fault *fault)
{
	offend(driver, message, fault->kind, "%s", fault->text);
}

void
receiving_cut_short(struct connection *connection)
{
	const struct message message = {connection->number, connection->next_reply,
		connection->driver->flights.items[connection->flying.first].length, 0};

	offend(connection->driver, &message, MESSAGE_TRUNCATED, "%llu of %u bytes, then the end",
		(unsigned long long)connection->reply_offset, message.length);
}

bool
receiving_check(struct driver *driver, const struct message *message, const char *bytes)
{
	uint32_t same = message_compare(message, 0, bytes, message->length);

	if (driver->load->verify != MESSAGE_NONE)
		tally_add(&driver->row->tally.checked, 1);
	if (same == message->length)
		return true;
	report_wrong(driver, message, bytes, message->length, 0, same);
	return false;
}

/* ---- replies ---- */

/* Records a complete reply. */
static void
record(struct driver *driver, const struct flight *flight, int64_t now)
{
	struct row *row = driver->row;

	if (driver_in_window(driver, flight->intended)) {
		histogram_record(&row->response, now - flight->intended);
		histogram_record(&row->service, now - flight->sent);
	}
	if (driver_in_window(driver, now))
		tally_add(&row->tally.received, 1);
	if (driver->load->verify != MESSAGE_NONE)
		tally_add(&row->tally.checked, 1);
	driver->answered = now;
}

/* Ends the wait for the first message in flight. */
static void
pop_first(struct connection *connection)
{
	struct driver *driver = connection->driver;

	tally_add(&driver->row->tally.in_flight, (uint64_t)-1);
	flights_pop(&driver->flights, &connection->flying);
	connection->next_reply++;
	connection->reply_offset = 0;
}

static void
complete(struct connection *connection, int64_t now)
{
	struct driver *driver = connection->driver;

	record(driver, &driver->flights.items[connection->flying.first], now);
	pop_first(connection);
}

/* Keeps the first line of the thread's first refusal. */
static void
keep_refusal(struct row *row, const char *bytes, size_t length)
{
	char line[REFUSAL_SHOWN + 1], shown[REFUSAL_SHOWN + 1];
	size_t end = 0;

	if (row->refusal[0] != '\0')
		return;
	while (end < length && end < REFUSAL_SHOWN && bytes[end] != '\r' && bytes[end] != '\n')
		end++;
	memcpy(line, bytes, end);
	line[end] = '\0';
	printable_line(line, shown, sizeof shown);
	snprintf(row->refusal, sizeof row->refusal, "the first refusal: %s", shown);
}

/* The same, of a reply by which the service refuses; bytes are its last ones, or all. */
static void
refuse(struct connection *connection, const char *bytes, size_t length)
{
	struct driver *driver = connection->driver;

	keep_refusal(driver->row, bytes, length);
	tally_add(&driver->row->tally.refused, 1);
	if (driver_in_window(driver, driver->flights.items[connection->flying.first].intended))
		tally_add(&driver->row->tally.lost, 1);
	pop_first(connection);
}

void
receiving_unasked(struct connection *connection, const char *bytes, size_t length)
{
	report_unasked(connection, bytes, length);
}

bool
receiving_take_whole(struct connection *connection, uint64_t sequence, const struct flight *flight,
	const char *bytes, size_t length, int64_t now)
{
	struct driver *driver = connection->driver;
	struct message message = {connection->number, sequence, flight->length, 0};
	uint32_t same = message_compare(
		&message, 0, bytes, (uint32_t)(length < message.length ? length : message.length));

	if (same < length && same < message.length) {
		report_wrong(driver, &message, bytes, length, 0, same);
		return false;
	}
	if (length != message.length) {
		offend(driver, &message,
			length < message.length ? MESSAGE_TRUNCATED : MESSAGE_EXTRA,
			"a datagram of %zu bytes instead of %u", length, message.length);
		return false;
	}
	record(driver, flight, now);
	return true;
}

/* ---- replies that are no echo ---- */

/* Records a complete reply, whose last bytes these are, or all. Returns false if the connection
 * must be closed. */
static bool
conclude(struct connection *connection, bool is_refused, const char *bytes, size_t length,
	int64_t now)
{
	bool is_early = connection->flying.count == 1 && connection->sent_offset > 0,
	     closes = connection->reply.closes;

	if (is_refused)
		refuse(connection, bytes, length);
	else
		complete(connection, now);
	if (closes)
		connection->quota = 0;
	/* The service answered before it had the whole request, whose rest nobody wants. */
	if (is_early || (closes && connection->flying.count == 0))
		connection->end = END_ORDERLY;
	return connection->end == END_NONE;
}

static struct answer_rule
rule_for(const struct connection *connection, const struct flight *flight)
{
	const struct load *load = connection->driver->load;

	return (struct answer_rule){
		&load->reply, requests_expected(load->requests, flight->ticket), flight->ticket};
}

/* As receiving_take. */
static bool
take_answers(struct connection *connection, const char *bytes, size_t length, int64_t now)
{
	struct driver *driver = connection->driver;

	for (size_t at = 0, taken; at < length; at += taken) {
		struct message message = {connection->number, connection->next_reply, 0, 0};
		const struct flight *flight;
		struct answer_rule rule;
		struct answer_fault fault;
		enum answer answer = ANSWER_WRONG;

		if (connection->flying.count == 0) {
			report_unasked(connection, bytes + at, length - at);
			connection->end = END_BROKEN;
			return false;
		}
		flight = &driver->flights.items[connection->flying.first];
		rule = rule_for(connection, flight);
		if (connection->reply_offset == 0)
			connection->reply =
				(struct reply){.is_head = requests_is_head(
						       driver->load->requests, flight->ticket)};
		answer = answer_take(&rule, &connection->reply, connection->reply_offset,
			bytes + at, length - at, &taken, &fault);
		connection->reply_offset += taken;
		if (answer == ANSWER_WRONG) {
			receiving_wrong(driver, &message, &fault);
			connection->end = END_BROKEN;
			return false;
		}
		if (answer != ANSWER_GOES_ON &&
			!conclude(connection, answer == ANSWER_REFUSED, bytes + at, taken, now))
			return false;
	}
	return true;
}

bool
receiving_end(struct connection *connection)
{
	struct driver *driver = connection->driver;
	const struct message message = {connection->number, connection->next_reply, 0, 0};
	struct answer_rule rule;
	struct answer_fault fault;
	enum answer answer;
	bool is_asked = connection->flying.count > 0;

	if (driver->load->reply.kind == REPLY_ECHO || (is_asked && connection->reply_offset == 0))
		return false;
	/* A server of HTTP may close a connection on which nothing is asked. */
	if (!is_asked) {
		connection->end =
			driver->load->reply.kind == REPLY_HTTP && connection->next_reply > 0
				? END_ORDERLY
				: END_NONE;
		return connection->end != END_NONE;
	}
	rule = rule_for(connection, &driver->flights.items[connection->flying.first]);
	answer = answer_end(&rule, &connection->reply, &fault);
	if (answer == ANSWER_WRONG) {
		receiving_wrong(driver, &message, &fault);
		connection->end = END_BROKEN;
	} else if (answer != ANSWER_GOES_ON) {
		conclude(connection, answer == ANSWER_REFUSED, "", 0, clock_now());
	}
	return connection->end != END_NONE;
}

bool
receiving_take(struct connection *connection, const char *bytes, size_t length, int64_t now)
{
	struct driver *driver = connection->driver;

	if (driver_in_window(driver, now))
		tally_add(&driver->row->tally.bytes_received, length);
	if (driver->load->reply.kind != REPLY_ECHO)
		return take_answers(connection, bytes, length, now);
	for (size_t at = 0; at < length;) {
		struct message message = {connection->number, connection->next_reply, 0, 0};
		size_t part = length - at;
		uint32_t same, message_end;

		/* A reply may not run ahead of the bytes of its message that were sent. */
		if (connection->flying.count == 0 ||
			(connection->flying.count == 1 && connection->sent_offset > 0 &&
				connection->reply_offset >= connection->sent_offset)) {
			report_unasked(connection, bytes + at, length - at);
			connection->end = END_BROKEN;
			return false;
		}
		message.length = driver->flights.items[connection->flying.first].length;
		message.ticket = driver->flights.items[connection->flying.first].ticket;
		message_end = message.length;
		if (connection->flying.count == 1 && connection->sent_offset > 0)
			message_end = connection->sent_offset;
		if (part > message_end - connection->reply_offset)
			part = message_end - connection->reply_offset;
		same = message_compare(
			&message, (uint32_t)connection->reply_offset, bytes + at, (uint32_t)part);
		if (same < part) {
			report_wrong(driver, &message, bytes, length,
				(ptrdiff_t)at - (ptrdiff_t)connection->reply_offset, at + same);
			connection->end = END_BROKEN;
			return false;
		}
		at += part;
		connection->reply_offset += part;
		if (connection->reply_offset == message.length)
			complete(connection, now);
	}
	return true;
}
