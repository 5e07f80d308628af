/* The commands of hubbub-load. Each takes what follows its name (argv[0] is the program) and
 * returns the exit code. */
#ifndef HUBBUB_LOAD_COMMANDS_H
#define HUBBUB_LOAD_COMMANDS_H

/* Loads a server and reports. */
int command_run(int argc, char **argv);

/* Finds the highest rate that keeps a gate. */
int command_search(int argc, char **argv);

/* Loads a server with each number of processes and threads, and says which to choose. */
int command_sweep(int argc, char **argv);

/* Compares results with the first of them. */
int command_compare(int argc, char **argv);

/* Writes a page with plots of a result. */
int command_report(int argc, char **argv);

#endif
