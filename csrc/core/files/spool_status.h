/* What an operation on a spool, or on its file, comes to. */
#ifndef SC3_SPOOL_STATUS_H
#define SC3_SPOOL_STATUS_H

typedef enum sc3_spool_status {
  SC3_SPOOL_OK = 0,
  SC3_SPOOL_LOCKED,     /* another descriptor, here or in another process, has the file */
  SC3_SPOOL_FULL,       /* the capacity would be passed */
  SC3_SPOOL_FOREIGN,    /* the file is no spool; it was left as it is, as with the next three */
  SC3_SPOOL_VERSION,    /* of another version */
  SC3_SPOOL_BYTE_ORDER, /* of a machine of another byte order */
  SC3_SPOOL_HEADER,     /* a spool whose header is damaged */
  SC3_SPOOL_REMOVED,    /* another process removed the file */
  SC3_SPOOL_TRUNCATED,  /* another process cut the file short */
  SC3_SPOOL_FORKED,     /* this is a child of the process that opened it */
  SC3_SPOOL_SYSTEM      /* errno says what */
} sc3_spool_status;

/* The status in words, for any but SC3_SPOOL_OK. `error` is errno, which only SC3_SPOOL_SYSTEM
 * reads. */
const char *sc3_spool_describe(sc3_spool_status status, int error);

#endif
