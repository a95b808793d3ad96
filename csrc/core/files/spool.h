/* Members in a mapped file, for the time when the service is away: what sc3_spool_keep() has taken
 * is there after the process was killed at any instruction, and a member costs no system call.
 *
 * The file, in the byte order of the machine that wrote it:
 *
 *   offset  0  8 bytes  "sc3spool"
 *           8  uint32   0x01020304, which shows the byte order
 *          12  uint32   version, 2
 *          16  uint32   the generation in the lower 16 bits; above it the lower 16 bits of the
 * *seed*: the CRC-32C of bytes 0 to 15 and of the generation as a uint32 20  uint32   0 24  uint64
 * *kept*: the number of the last record, in the upper half with its check; 0 while there is none 32
 * uint64   *released*: the number of the last record that has left, with its check; 0 while none
 * has 40  records, each at a multiple of 8: uint32   bytes of the member, at least 1; bit 31 says
 * that it is a removal, bit 30 that it has a label uint32   CRC-32C, continued from the seed, of
 * the four bytes before and of all behind uint32   the record's running number, from 1 uint64   its
 * stamp, in two halves, the lower one first: never less than that of the record before the member's
 * JSON; where it has a label, that and the label's length in two bytes, the lower one first, which
 *                count as bytes of the member; zeros up to the next multiple of 8
 *          zeros up to the end
 *
 * A check is the CRC-32C, continued from the seed, of the number and of the offset where it stands.
 * Numbers show what is missing: a record that cannot be read is passed over and counted as lost, up
 * to the number of the last one that was kept. Behind that one reading ends at the first record
 * that is none. Three orders of stores keep these true at every instruction:
 *   - keep: all bytes of all its records come first, then the first record's length, and *kept*
 * last. Until that length the zero there ends the reading.
 *   - reset: an odd generation is stored, which makes every record void; then all are overwritten
 * with zeros; then the next even generation is stored. Whoever opens a file of an odd generation
 * finishes that. Different seeds never give one record the same checksum, so none comes back.
 *   - what lies unreadable behind the last record is zeroed before the first keep, its first length
 * first.
 *
 * These are promises about a killed process, not about a machine that lost its power: nothing is
 * synced to the disk. The file must lie in a local file system that keeps what posix_fallocate()
 * promises (ext4, xfs, tmpfs do; with snapshots btrfs and ZFS do not). One that somebody else cuts
 * short while it is open raises SIGBUS; that is noticed only when the file grows, is emptied or
 * removed.
 */
#ifndef SC3_SPOOL_H
#define SC3_SPOOL_H

#include "../members/payload.h"

typedef struct sc3_spool sc3_spool;

typedef enum sc3_spool_status {
  SC3_SPOOL_OK = 0,
  SC3_SPOOL_LOCKED,     /* another descriptor, here or in another process, has the file */
  SC3_SPOOL_FULL,       /* the capacity would be passed */
  SC3_SPOOL_FOREIGN,    /* the file is no spool; it was left as it is, as with the next three */
  SC3_SPOOL_VERSION,    /* of another version */
  SC3_SPOOL_BYTE_ORDER, /* of a machine of another byte order */
  SC3_SPOOL_HEADER,     /* a spool whose header is damaged */
  SC3_SPOOL_REMOVED,    /* somebody else removed the file */
  SC3_SPOOL_TRUNCATED,  /* somebody else cut the file short */
  SC3_SPOOL_FORKED,     /* this is a child of the process that opened it */
  SC3_SPOOL_SYSTEM      /* errno says what */
} sc3_spool_status;

enum { SC3_SPOOL_LEAST_CAPACITY = 4096, SC3_SPOOL_LONGEST_LABEL = 65535 };

/* What a status other than SC3_SPOOL_OK means, in words; `error` is errno, read for
 * SC3_SPOOL_SYSTEM alone. */
const char *sc3_spool_text(sc3_spool_status status, int error);

/* Opens the spool of that name, or makes one of an empty file or none (or of one of zeros alone,
   which a machine that lost its power may leave). The file never grows beyond `capacity` bytes (at
   least SC3_SPOOL_LEAST_CAPACITY); one that is larger already is read in full. */
sc3_spool_status sc3_spool_open(sc3_spool **out, const char *path, size_t capacity);

/* Frees `s` and leaves the file; its lock goes too, unless this is a child of the process that
 * opened it. NULL does nothing. */
void sc3_spool_close(sc3_spool *s);

/* Appends the living members of `p` from `first` (counted from 0) up to but without `last`: all or,
   when it fails or the process is killed, none. `stamp` orders members of several files; one that
   is less than the last one here counts as the last one. The label says whose members they are: at
   most SC3_SPOOL_LONGEST_LABEL bytes, none where it is empty. */
sc3_spool_status sc3_spool_keep(sc3_spool *s, const sc3_payload *p, size_t first, size_t last,
                                uint64_t stamp, sc3_slice label);

/* Says that the records up to number `number` have left: who opens the file from then on begins
 * behind them. */
sc3_spool_status sc3_spool_release(sc3_spool *s, uint32_t number);

/* Where a reading stands; all zeros at first, which is behind what was released by then. */
typedef struct sc3_spool_cursor {
  size_t at;
  uint32_t generation;
  uint32_t number; /* of the record that was read last */
} sc3_spool_cursor;

typedef struct sc3_spool_record {
  sc3_slice json, label; /* borrowed until the spool changes */
  sc3_op op;
  uint32_t number;
  uint64_t stamp;
} sc3_spool_record;

/* The next member. `record->json.p` is NULL behind the last, and when the spool was emptied since
 * the reading began. */
sc3_spool_status sc3_spool_next(sc3_spool *s, sc3_spool_cursor *cursor, sc3_spool_record *record);

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

/* Reads at most `most` members into a payload, as long as they have that label, their stamp is at
   most `last` and there is room. With a `p` of NULL it only looks at the next one. */
sc3_spool_status sc3_spool_take(sc3_spool *s, sc3_spool_cursor *cursor, sc3_payload *p,
                                uint64_t last, size_t most, sc3_slice label,
                                sc3_spool_taken *taken);

size_t sc3_spool_count(const sc3_spool *s); /* members that can be read and were not released */
size_t
sc3_spool_lost(const sc3_spool *s); /* members that were kept, not released, and cannot be read */
uint64_t sc3_spool_stamp(const sc3_spool *s);  /* of the last record; 0 where there is none */
uint32_t sc3_spool_number(const sc3_spool *s); /* of the last record; 0 where there is none */
size_t
sc3_spool_bytes(const sc3_spool *s); /* of the file in use, of which the capacity is the limit */

/* Bytes that are neither a member nor zeros behind the last one: 0 when all is well. An append that
   a kill interrupted counts too; nobody was told that its members were kept. */
size_t sc3_spool_damaged(const sc3_spool *s);

/* Takes every member out and gives back all but the first MiB of the file. */
sc3_spool_status sc3_spool_reset(sc3_spool *s);

/* Empties it, and removes the file's name, if it still is this file's. Only SC3_SPOOL_OK closes:
 * `s` is then freed. */
sc3_spool_status sc3_spool_remove(sc3_spool *s);

#endif
