/* The packed records of one partition, sorted by hash:
 *
 *   format 1, audiences 1, count 4, records, CRC-32C of all before 4
 *   record: hash 8, cells 8, member 8, run 4, mark 1, standing (audiences + 3) / 4, refusing, id
 *   mark: 1 = rejected, 2 = refused by all audiences, 4 = by the bits of refusing, else 0
 *   refusing: (audiences + 7) / 8 where the mark is 4, else nothing
 *   id: length 1, bytes; a length of 255 is followed by the length in 2
 *
 * Numbers are little-endian. A blob may come from a file that a stranger wrote: the checksum finds
 * what a disk did, and the reader takes nothing on trust after it. */
#ifndef SC3_MEMBERS_BLOB_H
#define SC3_MEMBERS_BLOB_H

#include "../bytes/buffer.h"
#include "record.h"
#include "status.h"

typedef struct sc3_members_reader {
  const unsigned char *p, *end;
  uint32_t left;      /* records */
  unsigned audiences; /* of the blob */
  unsigned bits;      /* of the state's partitions */
  size_t part;
  uint64_t last;                   /* the hash before, with `any` */
  int any;                         /* a record was read */
  const unsigned char *raw, *next; /* the record that was read last, as it stands */
} sc3_members_reader;

/* An empty blob is a partition without records. `audiences` of the state are at least those of the
 * blob. */
sc3_mirror_status sc3_members_open(sc3_members_reader *r, sc3_slice blob, size_t part,
                                   unsigned bits, unsigned audiences);

/* The next record; `record->id.p` is NULL after the last. */
sc3_mirror_status sc3_members_next(sc3_members_reader *r, sc3_mirror_record *record);

typedef struct sc3_members_writer {
  sc3_buffer out;
  unsigned audiences;
  uint32_t count;
} sc3_members_writer;

void sc3_members_begin(sc3_members_writer *w, unsigned audiences);
sc3_mirror_status sc3_members_put(sc3_members_writer *w, const sc3_mirror_record *record);

/* The record that the reader has read last, of a blob with as many audiences. */
sc3_mirror_status sc3_members_copy(sc3_members_writer *w, const sc3_members_reader *r);

/* The whole blob, which `w` owns. */
sc3_mirror_status sc3_members_end(sc3_members_writer *w, sc3_slice *blob);
void sc3_members_free(sc3_members_writer *w);

/* --- what chunks have in common with these --- */

enum { SC3_ID_ESCAPE = 255, SC3_ID_HEAD = 3, SC3_BLOB_FOOT = 4 };

/* Whether a blob ends in its checksum and is at least `least` bytes long. */
int sc3_blob_is_whole(sc3_slice blob, size_t least);

/* Reads an id at `p`; where it ends, or NULL. */
const unsigned char *sc3_read_id(const unsigned char *p, const unsigned char *end, sc3_slice *id);

/* Writes an id, for which there is room; where it ends. */
unsigned char *sc3_write_id(unsigned char *p, sc3_slice id);

/* Appends the checksum. */
sc3_mirror_status sc3_blob_seal(sc3_buffer *out);

#endif
