/* What a test makes the code say on standard error. */
#ifndef HUBBUB_TESTS_COMPLAINT_H
#define HUBBUB_TESTS_COMPLAINT_H

/* From now on what this process writes to standard error is kept, and shown to nobody. */
void complaint_listen(void);

/* Standard error is what it was before. Returns what was kept, static until the next call. */
const char *complaint_heard(void);

#endif
