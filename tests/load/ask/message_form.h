/* The form of messages: what separates them on a connection, and how much of a reply is checked. */
#ifndef HUBBUB_LOAD_MESSAGE_FORM_H
#define HUBBUB_LOAD_MESSAGE_FORM_H

#define MESSAGE_HEAD 24 /* bytes of a message's head; a shorter message has none */

enum message_framing { MESSAGE_RAW, MESSAGE_LINE, MESSAGE_LEN32, MESSAGE_FRAMING_MAX };
enum message_verify { MESSAGE_FULL, MESSAGE_HEADER, MESSAGE_NONE, MESSAGE_VERIFY_MAX };

/* Spellings for the command line, indexed by the enums. */
extern const char *const message_framing_names[MESSAGE_FRAMING_MAX];
extern const char *const message_verify_names[MESSAGE_VERIFY_MAX];

#endif
