/* The commands that a service offers its operators (worker/command.h): finding them beside those
 * that every server has, listing them, and reading their arguments. */
#ifndef HUBBUB_FACE_OFFERED_H
#define HUBBUB_FACE_OFFERED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

#include "master/server.h"
#include "worker/reply.h"

#define OFFERED_NAME_MAX 32 /* bytes */
#define OFFERED_ERROR_SIZE 512

/* The arguments of a command, as a worker takes them: each is ended by a NUL. */
struct offered_arguments {
	size_t count;
	size_t size; /* bytes of them all */
	char text[REPLY_ARGUMENTS_SIZE];
};

/* Returns a sentence that names the faulty row of the service's table, or NULL if the table is
 * sound; has_page tells whether every server has the page /NAME. Static until the next call. */
const char *offered_fault(const struct hubbub_service *service, bool (*has_page)(const char *name));

/* Returns the service's command of that name, or NULL. */
const struct hubbub_command *offered_find(const struct hubbub_service *service, const char *name);

/* Returns a line for each command, of every server's and of the service's, allocated; NULL without
 * memory. */
char *offered_list(const struct hubbub_service *service);

/* Prints ", /NAME" for each page of the service. */
void offered_print_pages(const struct hubbub_service *service, FILE *stream);

/* Explains that there is no command of that name: names the nearest, or where all are listed. */
void offered_explain(const struct hubbub_service *service, const char *name,
	char error[static OFFERED_ERROR_SIZE]);

/* Adds an argument of length bytes. Returns NULL, or why it cannot be one. */
const char *offered_add(struct offered_arguments *arguments, const char *bytes, size_t length);

/* Reads words that stand apart by one space each, in which %20 stands for a space, and so on;
 * decodes them in place. Returns NULL, or what is wrong. */
const char *offered_read(struct offered_arguments *arguments, char *words);

#endif
