/* Tells a child of fork from the process that made a thing, without asking the system each time. */
#ifndef SC3_FORK_MARK_H
#define SC3_FORK_MARK_H

#include <stddef.h>
#include <sys/types.h>

typedef struct sc3_fork_mark {
  unsigned char *page; /* one that the kernel empties in children; NULL where it cannot, and the
                          process id is compared */
  size_t size;
  pid_t pid;
} sc3_fork_mark;

/* Marks for this process. Never fails. */
void sc3_fork_mark_set(sc3_fork_mark *m);

/* Whether this is the process that set the mark. */
int sc3_fork_mark_mine(const sc3_fork_mark *m);

/* Gives back what the mark holds, in whichever process. */
void sc3_fork_mark_clear(sc3_fork_mark *m);

#endif
