/* The files of a database as the system has them: whose they are, who else may open them, and the
 * lock that one process has on them. Knows no SQLite. */
#ifndef SC3_STATE_FILES_H
#define SC3_STATE_FILES_H

#include <limits.h>
#include <sys/types.h>

typedef struct sc3_state_files {
  char path[PATH_MAX]; /* absolute, because a host may change its working directory */
  int lock;            /* descriptor of the file that is locked; -1 = none */
  int has_log;         /* SQLite's stood beside it when it was taken */
  dev_t device;        /* of the database */
  ino_t inode;
} sc3_state_files;

/* The functions give NULL, or a message, with its key in `*code` where it has one. The files must
   have `lock` = -1 before the first call. */

/* Locks the database of that name for this process, or says "locked". Makes an empty one with mode
   0600 where `create` allows it, else says "missing". Says "unsafe" of a file that is not this
   user's alone: SQLite would take its contents for what this user wrote. The lock is a file of its
   own, because closing any other descriptor of the database would drop the locks of SQLite. */
const char *sc3_state_files_take(sc3_state_files *f, const char *path, int create,
                                 const char **code);

/* The same of a database that is only read, beside a process that may have it: without the lock. */
const char *sc3_state_files_find(sc3_state_files *f, const char *path, const char **code);

/* Says "moved" where the name means another file than the one that was taken. */
const char *sc3_state_files_check(const sc3_state_files *f, const char **code);

/* Gives the lock back. `mine` is false in a child of the process that has it: it keeps it. */
void sc3_state_files_leave(sc3_state_files *f, int mine);

#endif
