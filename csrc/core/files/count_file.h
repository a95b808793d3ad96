/* Numbers by name in a small file of fixed size that the processes of a machine share. A process
   that reads or writes them holds the file's lock (flock): it reads all, and writes back what
   changed. Each number lies in a cell of its own with a checksum, so a process that is killed while
   it writes leaves whole cells. What the numbers mean is not known here. */
#ifndef SC3_COUNT_FILE_H
#define SC3_COUNT_FILE_H

#include <stddef.h>

typedef struct sc3_count_file sc3_count_file;

typedef enum sc3_count_status {
  SC3_COUNT_OK,
  SC3_COUNT_REMOVED, /* locked; it was removed, emptied or replaced since it was last seen: what it
                        held is gone */
  SC3_COUNT_DAMAGED, /* locked; some or all of what it held could not be read, and is gone */
  SC3_COUNT_LOCKED,  /* another one has it, and did not give it back within some milliseconds */
  SC3_COUNT_FOREIGN, /* it is something else, and was left as it is */
  SC3_COUNT_SYSTEM   /* errno says why */
} sc3_count_status;

/* Opens the file, which is made (mode 0600) where there is none; it is not locked. NULL in `*out`
   unless SC3_COUNT_OK or SC3_COUNT_DAMAGED. */
sc3_count_status sc3_count_open(sc3_count_file **out, const char *path);

/* Locks and reads. Not locked unless the status is one of the first three. A child of fork opens
 * the file anew. */
sc3_count_status sc3_count_lock(sc3_count_file *f);

/* Writes what changed and unlocks, in this order; unlocked also when that fails. */
sc3_count_status sc3_count_unlock(sc3_count_file *f);

int sc3_count_locked(const sc3_count_file *f);

/* These need the lock. A name is any bytes. */
int sc3_count_get(const sc3_count_file *f, const char *name, size_t n,
                  double *value); /* 0 = there is none */
int sc3_count_set(sc3_count_file *f, const char *name, size_t n,
                  double value); /* 0 = no room: too many in use */
void sc3_count_delete(sc3_count_file *f, const char *name, size_t n);

void sc3_count_close(sc3_count_file *f);

#endif
