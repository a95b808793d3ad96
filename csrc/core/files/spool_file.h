/* The file under a spool: owned by a lock, given its blocks before it is mapped, and mapped whole.
 */
#ifndef SC3_SPOOL_FILE_H
#define SC3_SPOOL_FILE_H

#include <stddef.h>
#include <sys/stat.h>

#include "spool_status.h"

typedef struct sc3_spool_file {
  int fd;        /* -1 = closed */
  size_t size;   /* of the file */
  char *bytes;   /* the whole file, shared and writable; NULL until it is mapped */
  size_t mapped; /* at least `size` */
  dev_t device;  /* with `inode`, what tells it from another file of the same name */
  ino_t inode;
  char *path;
} sc3_spool_file;

/* Opens the regular file of that name, or makes an empty one, locks it, and makes sure that it
   still is the file of that name. Changes nothing of it and does not map it. SC3_SPOOL_LOCKED,
   SC3_SPOOL_FOREIGN (no regular file), SC3_SPOOL_SYSTEM: `f` is closed. */
sc3_spool_status sc3_spool_file_open(sc3_spool_file *f, const char *path);

/* Gives up the mapping, the descriptor and with it the lock, unless a parent or child of this
 * process still has that descriptor. Idempotent. */
void sc3_spool_file_close(sc3_spool_file *f);

/* Reads `n` bytes from `at` on, without the mapping; 0 when there are fewer or they cannot be read.
 */
int sc3_spool_file_read(const sc3_spool_file *f, size_t at, void *out, size_t n);

/* Makes the mode 0600, whatever the umask or another process made of it. */
sc3_spool_status sc3_spool_file_protect(const sc3_spool_file *f);

/* Whether another process removed the file (SC3_SPOOL_REMOVED) or cut it short
 * (SC3_SPOOL_TRUNCATED), where touching its end would raise SIGBUS. */
sc3_spool_status sc3_spool_file_check(const sc3_spool_file *f);

/* Maps the file, after every part of it has got its blocks: on a full disk a page without one
   raises SIGBUS, in tmpfs even when it is only read. Nothing happens while the file is empty. */
sc3_spool_status sc3_spool_file_map(sc3_spool_file *f);

/* Lets the file grow to `size` bytes, zeros at its end, and maps it anew: `bytes` moves. When it
 * fails nothing has changed. */
sc3_spool_status sc3_spool_file_grow(sc3_spool_file *f, size_t size);

/* Cuts the file to `size`, a multiple of every page size. When it fails nothing has changed. */
sc3_spool_status sc3_spool_file_shrink(sc3_spool_file *f, size_t size);

/* Gives back the memory of its pages. What is in them stays in the file, and comes back when it is
   touched. A wish: where it is not granted, nothing has changed. */
void sc3_spool_file_unload(const sc3_spool_file *f);

/* Gives it another name, if the one it has still is this file's: else SC3_SPOOL_REMOVED. When it
   fails nothing has changed. */
sc3_spool_status sc3_spool_file_rename(sc3_spool_file *f, const char *path);

/* Removes the name, if it still is this file's. */
sc3_spool_status sc3_spool_file_unlink(const sc3_spool_file *f);

#endif
