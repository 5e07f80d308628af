/* Captures what the code under test writes to standard error. */
#ifndef HUBBUB_TESTS_COMPLAINT_H
#define HUBBUB_TESTS_COMPLAINT_H

/* From now on what this process writes to standard error is captured, and not shown. */
void complaint_listen(void);

/* Restores standard error. Returns the captured text, static until the next call. */
const char *complaint_heard(void);

#endif
