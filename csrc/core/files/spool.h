/* Members in a mapped file, for the time when the service is away. What sc3_spool_keep() has taken
 * is there after the process was killed at any instruction. A member costs no system call.
 *
 * spool_format.h has the layout of the file. Three orders of stores keep it true at every
 * instruction:
 *   - keep: all bytes of all its records come first, then the first word of the first record, and
 *     the number of the last record that was kept comes last. Until that word, the zero there ends
 *     the reading.
 *   - reset: an odd generation is stored, which makes every record void. Then all are overwritten
 *     with zeros, and then the next even generation is stored. An opener that finds an odd
 *     generation finishes the reset. Different seeds never give one record the same checksum, so no
 *     record comes back.
 *   - what lies unreadable after the last record is zeroed before the first keep, its first word
 *     first.
 *
 * These are promises about a killed process, not about a machine that lost its power: nothing is
 * synced to the disk. The file must lie in a local file system that keeps what posix_fallocate()
 * promises: ext4, xfs and tmpfs do; btrfs and ZFS with snapshots do not. If another process cuts
 * the file short while it is open, access raises SIGBUS; that is noticed only when the file grows,
 * is emptied or removed. */
#ifndef SC3_SPOOL_H
#define SC3_SPOOL_H

#include "../members/payload.h"
#include "spool_format.h"
#include "spool_status.h"

typedef struct sc3_spool sc3_spool;

/* Opens the spool of that name, or makes one of an empty file or none (or of one of only zeros,
   which a machine that lost its power may leave). The file never grows beyond `capacity` bytes (at
   least SC3_SPOOL_LEAST_CAPACITY); one that is larger already is read in full. */
sc3_spool_status sc3_spool_open(sc3_spool **out, const char *path, size_t capacity);

/* Frees `s` and leaves the file; its lock goes too, unless this is a child of the process that
 * opened it. NULL does nothing. */
void sc3_spool_close(sc3_spool *s);

/* Members to append. */
typedef struct sc3_spool_batch {
  const sc3_payload *payload;
  size_t first,
      last;        /* its living members from `first`, counted from 0, up to but without `last` */
  uint64_t stamp;  /* orders members of several files; one below the last one here counts as it */
  sc3_slice label; /* says whose members they are: at most SC3_SPOOL_LABEL_MAX bytes */
} sc3_spool_batch;

/* Appends a batch: all of it, or none when it fails or the process is killed. */
sc3_spool_status sc3_spool_keep(sc3_spool *s, const sc3_spool_batch *batch);

/* Marks the records up to number `number` as released: an opener begins after them. */
sc3_spool_status sc3_spool_release(sc3_spool *s, uint32_t number);

/* Where a reading stands; all zeros at first, which is after what was released by then. */
typedef struct sc3_spool_cursor {
  size_t at;
  uint32_t generation;
  uint32_t number; /* of the record that was read last */
} sc3_spool_cursor;

/* The next member. `record->packed.p` is NULL after the last, and when the spool was emptied since
 * the reading began. */
sc3_spool_status sc3_spool_next(sc3_spool *s, sc3_spool_cursor *cursor, sc3_spool_record *record);

/* Which members are taken. */
typedef struct sc3_spool_wanted {
  uint64_t last_stamp; /* none with a stamp above this one */
  size_t most;         /* at most so many */
  sc3_slice label;     /* only those with this label */
} sc3_spool_wanted;

/* What sc3_spool_take() did. */
typedef struct sc3_spool_taken {
  size_t members; /* that went into the payload */
  size_t unfit;   /* that fit into no payload of that size, and were passed over */
  int full;       /* the payload has no room for the next one */
  int more; /* there is a next one, and these are its stamp and its label, borrowed until the spool
               changes */
  uint64_t stamp;
  sc3_slice label;
} sc3_spool_taken;

/* Reads members into a payload, as long as they are wanted and there is room. With a `p` of NULL it
 * only looks at the next one. */
sc3_spool_status sc3_spool_take(sc3_spool *s, sc3_spool_cursor *cursor, sc3_payload *p,
                                const sc3_spool_wanted *wanted, sc3_spool_taken *taken);

/* Members that can be read and were not released. */
size_t sc3_spool_count(const sc3_spool *s);

/* Members that were kept, not released, and cannot be read. */
size_t sc3_spool_lost(const sc3_spool *s);

/* The stamp and the number of the last record; 0 where there is none. */
uint64_t sc3_spool_stamp(const sc3_spool *s);
uint32_t sc3_spool_number(const sc3_spool *s);

/* Bytes of the file in use; the capacity is their limit. */
size_t sc3_spool_bytes(const sc3_spool *s);

/* Bytes that are neither a member nor zeros after the last one: 0 when all is well. An append that
   a kill interrupted counts too; it was never reported as kept. */
size_t sc3_spool_damaged(const sc3_spool *s);

/* Gives back the memory of its pages, for a spool that is only waiting. */
void sc3_spool_unload(const sc3_spool *s);

/* Gives back what the file has beyond its last record, but for less than 64 KiB. Where that cannot
   be, the file stays as long as it is. */
void sc3_spool_trim(sc3_spool *s);

/* Takes every member out and gives back all but the first 3 MiB of the file. */
sc3_spool_status sc3_spool_reset(sc3_spool *s);

/* Gives the file another name in the same file system, in place of any file of that name: to be
 * used again as another spool. */
sc3_spool_status sc3_spool_rename(sc3_spool *s, const char *path);

/* Empties it, and removes the file's name, if it still is this file's. Only SC3_SPOOL_OK closes:
 * `s` is then freed. */
sc3_spool_status sc3_spool_remove(sc3_spool *s);

#endif
