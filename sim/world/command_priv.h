/* How the program was called, for whoever wants to repeat what it did. */
#ifndef HUBBUB_SIM_COMMAND_PRIV_H
#define HUBBUB_SIM_COMMAND_PRIV_H

/* The process's command line, quoted for a shell, and limited to the running test where Criterion
 * runs one; static. Not in a world, since it is read from a real file. */
const char *command_line(void);

#endif
