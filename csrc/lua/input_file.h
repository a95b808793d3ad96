/* Files that rows are read from: opened without waiting for anybody, and read so that a stop is
 * noticed. */
#ifndef SC3L_INPUT_FILE_H
#define SC3L_INPUT_FILE_H

#include <sys/stat.h>
#include <sys/types.h>

typedef struct sc3l_input_file {
  int fd;      /* -1 where there is none */
  int owned;   /* to be closed with the source */
  int once;    /* no regular file: its bytes come once, and may be waited for */
  double size; /* of a regular file named by its path; -1 unknown */
} sc3l_input_file;

enum { SC3L_FILE_STAMP = 96 };

/* Opens the path, "-" for standard input. NULL, or why it cannot be read. A pipe without a writer
   is opened all the same: its writer is waited for when it is read. What is standard input under
   another name, such as /dev/stdin, is standard input, where it can be read once. */
const char *sc3l_input_file_open(sc3l_input_file *f, const char *path);
void sc3l_input_file_close(sc3l_input_file *f);

/* As read(2), but it waits a moment at most for bytes of what is no regular file: then -1 with
 * errno EAGAIN. */
ssize_t sc3l_input_file_read(const sc3l_input_file *f, void *to, size_t n);

/* "file", "directory", "pipe", "socket" or "device". */
const char *sc3l_file_kind(const struct stat *info);

/* A text that changes when the file is written to, or when another stands in its place. */
void sc3l_file_stamp(const struct stat *info, char text[SC3L_FILE_STAMP]);

/* About the path, "-" for standard input: 0, or errno. */
int sc3l_file_stat(const char *path, struct stat *info);

#endif
