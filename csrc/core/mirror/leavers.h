/* Those who leave, in the order in which they were put: each is looked at, and then passed by. */
#ifndef SC3_MIRROR_LEAVERS_H
#define SC3_MIRROR_LEAVERS_H

#include "../bytes/buffer.h"
#include "merge.h"

typedef struct sc3_leavers {
  sc3_part_spool spool; /* of one partition */
  int again;            /* they have the entry that goes again */
  sc3_part_reader reader;
  int reading;        /* nobody more is put */
  int waits;          /* `current` is not passed by yet */
  sc3_leaver current; /* its id lies in `id` */
  sc3_buffer id;
} sc3_leavers;

sc3_mirror_status sc3_leavers_open(sc3_leavers *l, sc3_blocks *blocks, int again);

/* Idempotent; also for zeros. */
void sc3_leavers_close(sc3_leavers *l);

sc3_mirror_status sc3_leavers_put(sc3_leavers *l, const sc3_leaver *leaver);

/* The next one, the same until sc3_leavers_pass(); its id is NULL after the last. Borrowed until
   the call after that. */
sc3_mirror_status sc3_leavers_look(sc3_leavers *l, sc3_leaver *out);

static inline void sc3_leavers_pass(sc3_leavers *l) {
  l->waits = 0;
}

#endif
