/* What can be wrong with a reply; faults are counted by kind. */
#ifndef HUBBUB_LOAD_MESSAGE_FAULT_H
#define HUBBUB_LOAD_MESSAGE_FAULT_H

enum message_fault {
	MESSAGE_CORRUPT,   /* bytes were changed */
	MESSAGE_TRUNCATED, /* bytes are missing */
	MESSAGE_EXTRA,     /* bytes were added */
	MESSAGE_REORDERED, /* a later message of this connection */
	MESSAGE_DUPLICATE, /* an earlier message of this connection */
	MESSAGE_CROSSED,   /* a message of another connection */
	MESSAGE_FAULT_MAX
};

/* The names in JSON and in reports, indexed by the enum. */
extern const char *const message_fault_names[MESSAGE_FAULT_MAX];

#endif
