/* Files that rows are read from. Opening one never waits. Reading returns to Lua within a moment,
 * so that a stop is noticed. */
#ifndef SC3L_INPUT_FILE_H
#define SC3L_INPUT_FILE_H

#include <sys/stat.h>

#include "../core/rows/input.h"

typedef struct sc3l_input_file {
  int fd;      /* -1 where there is none */
  int owned;   /* to be closed with the source */
  int once;    /* no regular file: its bytes come once, and may be waited for */
  int error;   /* errno with which reading failed, for good; 0 = none */
  double size; /* of a regular file named by its path; -1 unknown */
  size_t step; /* bytes to ask for at once; 0 = SC3_CHUNK */
} sc3l_input_file;

enum { SC3L_FILE_STAMP = 96 };

/* Opens the path, "-" for standard input. NULL, or why it cannot be read. A pipe without a writer
   is opened all the same: its writer is waited for when it is read. What is standard input under
   another name, such as /dev/stdin, is standard input, where it can be read once. */
const char *sc3l_input_file_open(sc3l_input_file *f, const char *path);
void sc3l_input_file_close(sc3l_input_file *f);

typedef enum sc3l_fill {
  SC3L_FILL_DONE,  /* bytes came, or the end */
  SC3L_FILL_LATER, /* none came for a moment, or a signal did: ask again */
  SC3L_FILL_NOMEM,
  SC3L_FILL_FAILED /* see `error` */
} sc3l_fill;

/* Reads a chunk of the file into `in`, or finishes it at the end. Waits a moment at most for bytes
 * of what is no regular file. */
sc3l_fill sc3l_input_file_fill(sc3l_input_file *f, sc3_input *in);

/* Goes to a byte of a file whose size is known. Little is read there at first: the rows that are
   wanted may lie far from each other. 0 where that failed: see `error`. */
int sc3l_input_file_seek(sc3l_input_file *f, uint64_t at);

/* "file", "directory", "pipe", "socket" or "device". */
const char *sc3l_file_kind(const struct stat *info);

/* A text that changes when the file is written to, or when another stands in its place. */
void sc3l_file_stamp(const struct stat *info, char text[SC3L_FILE_STAMP]);

/* About the path, "-" for standard input: 0, or errno. */
int sc3l_file_stat(const char *path, struct stat *info);

#endif
