/* The commands of hubbub-load. Each parses the arguments after its name (argv[0] is the program)
 * and returns the exit code; wrong usage may end the process instead. */
#ifndef HUBBUB_LOAD_COMMANDS_H
#define HUBBUB_LOAD_COMMANDS_H

/* Loads a server and reports the result. */
int command_run(int argc, char **argv);

/* Finds the highest rate at which a gate holds. */
int command_search(int argc, char **argv);

/* Loads a server with each number of processes and threads, and says which to choose. */
int command_sweep(int argc, char **argv);

/* Compares results with the first one. */
int command_compare(int argc, char **argv);

/* Merges the results of several generators. */
int command_merge(int argc, char **argv);

/* Writes a page with plots of a stored result. */
int command_report(int argc, char **argv);

#endif
