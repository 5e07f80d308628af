/* HTTP/1: the status line, the headers that say where the body ends, and the body. No header is
 * stored: its name, or a token of its value, is compared with the few words that matter as its
 * characters come. Informational replies (1xx) are passed over. The text of a reply, for
 * expectations, is its status, a blank, and the body. */
#include "tests/load/drive/reply_http.h"

#include <ctype.h>
#include <string.h>

#define LENGTH_MAX (UINT64_C(1) << 50) /* bytes of a body, or of a chunk */

enum state {
	STATE_VERSION,
	STATE_STATUS,
	STATE_REASON,
	STATE_NAME,  /* of a header, or the empty line */
	STATE_VALUE, /* of a header */
	STATE_BODY,
	STATE_BODY_TO_CLOSE,
	STATE_CHUNK_SIZE,
	STATE_CHUNK_EXTENSION,
	STATE_CHUNK,
	STATE_CHUNK_END,
	STATE_TRAILER, /* at the beginning of a line */
	STATE_TRAILER_REST
};

enum word { WORD_LENGTH, WORD_ENCODING, WORD_CONNECTION, WORD_CHUNKED, WORD_CLOSE, WORD_KEEP };
#define WORD_NONE 0xff
#define HEADERS (1 << WORD_LENGTH | 1 << WORD_ENCODING | 1 << WORD_CONNECTION)
#define TOKENS (1 << WORD_CHUNKED | 1 << WORD_CLOSE | 1 << WORD_KEEP)
static const char *const words[] = {
	"content-length", "transfer-encoding", "connection", "chunked", "close", "keep-alive"};

/* ---- words ---- */

/* Of the words that the name or token may still be, keeps those that have this character next. */
static void
narrow(struct reply *reply, char byte)
{
	for (unsigned i = 0; i < sizeof words / sizeof *words; i++)
		if ((reply->words >> i & 1) != 0 &&
			(words[i][reply->at] == '\0' ||
				words[i][reply->at] != tolower((unsigned char)byte)))
			reply->words &= (uint8_t) ~(1 << i);
	if (reply->words != 0)
		reply->at++;
}

/* The word that has ended, and begins another one of these. */
static uint8_t
end_word(struct reply *reply, int next)
{
	uint8_t found = WORD_NONE;

	for (uint8_t i = 0; i < sizeof words / sizeof *words; i++)
		if ((reply->words >> i & 1) != 0 && words[i][reply->at] == '\0')
			found = i;
	reply->words = (uint8_t)next;
	reply->at = 0;
	return found;
}

/* ---- the head ---- */

/* HTTP/1.0 or HTTP/1.1 and a blank. */
static const char *
take_version(struct reply *reply, char byte)
{
	static const char pattern[] = "HTTP/1.? ";

	if (pattern[reply->at] == '?' ? byte != '0' && byte != '1' : byte != pattern[reply->at])
		return "HTTP/1.1 should be here";
	if (pattern[reply->at] == '?')
		reply->is_old = byte == '0';
	if (pattern[++reply->at] != '\0')
		return NULL;
	reply->state = STATE_STATUS;
	reply->status = reply->digits = 0;
	return NULL;
}

static const char *
take_status(struct reply *reply, char byte)
{
	if (reply->digits == 3) {
		reply->state = STATE_REASON;
		return byte == ' ' || byte == '\r' ? NULL : "a blank should be here";
	}
	if (!isdigit((unsigned char)byte) || (reply->digits == 0 && (byte < '1' || byte > '5')))
		return "a status from 100 to 599 should be here";
	reply->shown[reply->digits++] = byte;
	reply->status = (uint16_t)(reply->status * 10 + (byte - '0'));
	return NULL;
}

static void
begin_name(struct reply *reply)
{
	reply->state = STATE_NAME;
	end_word(reply, HEADERS);
	reply->header = WORD_NONE;
	reply->digits = 0;
}

static const char *
take_digit(struct reply *reply, char byte, unsigned base)
{
	unsigned digit = isdigit((unsigned char)byte)
				 ? (unsigned)(byte - '0')
				 : (unsigned)(tolower((unsigned char)byte) - 'a') + 10;

	if (!isxdigit((unsigned char)byte) || digit >= base)
		return "a digit should be here";
	reply->left = reply->left * base + digit;
	reply->digits = 1;
	return reply->left <= LENGTH_MAX ? NULL : "the length is too large";
}

static void
note_token(struct reply *reply)
{
	uint8_t header = reply->header, word = end_word(reply, TOKENS);

	/* chunked counts if it is the last coding. */
	if (header == WORD_ENCODING)
		reply->is_chunked = word == WORD_CHUNKED;
	else if (header == WORD_CONNECTION && word == WORD_CLOSE)
		reply->closes = true;
	else if (header == WORD_CONNECTION && word == WORD_KEEP)
		reply->keeps = true;
}

/* Takes a character of a header's value, or the newline behind it. */
static const char *
take_value(struct reply *reply, char byte)
{
	bool is_blank = strchr(" \t\r", byte) != NULL && byte != '\0';

	if (reply->header == WORD_LENGTH) {
		if (byte == '\n' && reply->digits == 0)
			return "a Content-Length without a number";
		if (byte != '\n' && !is_blank)
			return reply->has_length ? "the length has ended"
						 : take_digit(reply, byte, 10);
		reply->has_length = reply->digits > 0;
	} else if (byte == ',' || byte == '\n') {
		if (reply->header == WORD_ENCODING || reply->header == WORD_CONNECTION)
			note_token(reply);
	} else if (!is_blank && reply->header != WORD_NONE) {
		narrow(reply, byte);
	}
	if (byte == '\n')
		begin_name(reply);
	return NULL;
}

/* Takes a character of a header's name. */
static const char *
take_name(struct reply *reply, char byte)
{
	if (byte == '\n')
		return "a header's name should be here";
	if (byte != ':') {
		narrow(reply, byte);
		return NULL;
	}
	reply->header = end_word(reply, TOKENS);
	if (reply->header == WORD_LENGTH && reply->has_length)
		return "a second Content-Length";
	if (reply->header == WORD_LENGTH)
		reply->left = 0;
	reply->state = STATE_VALUE;
	return NULL;
}

/* Decides at the end of the head where the body ends. Returns whether there is none. */
static bool
end_head(struct reply *reply)
{
	bool has_none = reply->is_head || reply->status == 204 || reply->status == 304 ||
			reply->status < 200;

	reply->is_error = reply->status >= 400;
	reply->closes = reply->closes || (reply->is_old && !reply->keeps);
	reply->state = reply->is_chunked   ? STATE_CHUNK_SIZE
		       : reply->has_length ? STATE_BODY
					   : STATE_BODY_TO_CLOSE;
	reply->digits = 0;
	if (!reply->has_length || reply->is_chunked)
		reply->left = 0;
	if (!has_none && reply->state == STATE_BODY_TO_CLOSE)
		reply->closes = true;
	return has_none || (reply->state == STATE_BODY && reply->left == 0);
}

/* Takes one character of the head. Returns what is wrong, or NULL; *is_over becomes whether it is
 * the last. */
static const char *
take_head(struct reply *reply, char byte, bool *is_over)
{
	switch ((enum state)reply->state) {
	case STATE_VERSION:
		return take_version(reply, byte);
	case STATE_STATUS:
		return take_status(reply, byte);
	case STATE_REASON:
		if (byte == '\n')
			begin_name(reply);
		return NULL;
	case STATE_NAME:
		*is_over = byte == '\n' && reply->at == 0 && reply->words == HEADERS;
		if (*is_over || (byte == '\r' && reply->at == 0 && reply->words == HEADERS))
			return NULL;
		return take_name(reply, byte);
	default:
		return take_value(reply, byte);
	}
}

static struct reply_piece
take_whole_head(struct reply *reply, const char *bytes, size_t length)
{
	struct reply_piece piece = {0};
	bool is_over = false;

	while (piece.length < length && !is_over) {
		piece.fault = take_head(reply, bytes[piece.length], &is_over);
		if (piece.fault != NULL)
			return piece;
		piece.length++;
	}
	if (!is_over)
		return piece;
	if (reply->status < 200 && reply->status != 101) {
		*reply = (struct reply){.is_head = reply->is_head, .compared = reply->compared};
		return piece;
	}
	/* No server may send both, since two readers may end it in two places (RFC 9112, 6.2). */
	if (reply->has_length && reply->is_chunked)
		return reply_fault(piece.length, "Content-Length beside Transfer-Encoding");
	piece.is_whole = end_head(reply);
	reply->shown[3] = ' ';
	piece.text = reply->shown;
	piece.text_length = sizeof reply->shown;
	return piece;
}

/* ---- the body ---- */

/* Takes a character of what stands around chunks. Returns what is wrong, or NULL; *is_whole becomes
 * whether it is the last of the reply. */
static const char *
take_chunking(struct reply *reply, char byte, bool *is_whole)
{
	if (reply->state == STATE_CHUNK_END) {
		if (byte == '\r')
			return NULL;
		reply->state = STATE_CHUNK_SIZE;
		reply->digits = 0;
		return byte == '\n' ? NULL : "the end of a chunk should be here";
	}
	if (reply->state == STATE_TRAILER || reply->state == STATE_TRAILER_REST) {
		*is_whole = byte == '\n' && reply->state == STATE_TRAILER;
		if (byte != '\r')
			reply->state = byte == '\n' ? STATE_TRAILER : STATE_TRAILER_REST;
		return NULL;
	}
	if (reply->state == STATE_CHUNK_SIZE && strchr(";\r\n \t", byte) == NULL)
		return take_digit(reply, byte, 16);
	if (reply->digits == 0 || byte == '\0')
		return "a chunk's size should be here";
	reply->state = STATE_CHUNK_EXTENSION;
	if (byte == '\n')
		reply->state = reply->left > 0 ? STATE_CHUNK : STATE_TRAILER;
	return NULL;
}

static struct reply_piece
take_body(struct reply *reply, const char *bytes, size_t length)
{
	if (reply->state == STATE_BODY_TO_CLOSE)
		return reply_text(bytes, length, false);
	if (length > reply->left)
		length = reply->left;
	reply->left -= length;
	if (reply->left > 0 || reply->state == STATE_BODY)
		return reply_text(bytes, length, reply->left == 0);
	reply->state = STATE_CHUNK_END;
	return reply_text(bytes, length, false);
}

struct reply_piece
reply_http_take(
	const struct reply_form *form, struct reply *reply, const char *bytes, size_t length)
{
	struct reply_piece piece = {0};

	(void)form;
	if (reply->state < STATE_BODY)
		return take_whole_head(reply, bytes, length);
	if (reply->state == STATE_BODY || reply->state == STATE_BODY_TO_CLOSE ||
		reply->state == STATE_CHUNK)
		return take_body(reply, bytes, length);
	while (piece.length < length && !piece.is_whole && reply->state != STATE_CHUNK) {
		piece.fault = take_chunking(reply, bytes[piece.length], &piece.is_whole);
		if (piece.fault != NULL)
			return piece;
		piece.length++;
	}
	return piece;
}

bool
reply_http_is_open_ended(const struct reply *reply)
{
	return reply->state == STATE_BODY_TO_CLOSE;
}
