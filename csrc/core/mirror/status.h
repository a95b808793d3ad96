/* What became of a call on what a mirror keeps. */
#ifndef SC3_MIRROR_STATUS_H
#define SC3_MIRROR_STATUS_H

#include "../bytes/status.h"

typedef enum sc3_mirror_status {
  SC3_MIRROR_OK,
  SC3_MIRROR_MEMORY,  /* an allocation failed */
  SC3_MIRROR_SYSTEM,  /* errno says why */
  SC3_MIRROR_FORKED,  /* the temporary file belongs to the parent process */
  SC3_MIRROR_FULL,    /* more than the format holds */
  SC3_MIRROR_DAMAGED, /* bytes that were read are not what was written */
  SC3_MIRROR_OPEN,    /* an entry is still open, and cannot be folded */
  SC3_MIRROR_ORDER    /* a call out of its order */
} sc3_mirror_status;

/* A text for people; `error` is the errno of SC3_MIRROR_SYSTEM. */
const char *sc3_mirror_describe(sc3_mirror_status status, int error);

static inline sc3_mirror_status sc3_mirror_of(sc3_status status) {
  return status == SC3_OK       ? SC3_MIRROR_OK
         : status == SC3_ENOMEM ? SC3_MIRROR_MEMORY
                                : SC3_MIRROR_FULL;
}

#endif
