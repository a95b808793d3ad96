/* What a core function answers when it is not a value. */
#ifndef SC3_STATUS_H
#define SC3_STATUS_H

typedef enum sc3_status {
  SC3_OK = 0,
  SC3_ENOMEM, /* an allocation failed; the object is unchanged */
  SC3_ELIMIT  /* the buffer's limit would be exceeded; the object is unchanged */
} sc3_status;

#endif
