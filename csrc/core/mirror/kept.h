/* What the map takes of rows, as they stand in their cells, so that candidates need no second
   reading of their input. It lies in blocks of the night's temporary file, enciphered: emails and
   phones are among it. */
#ifndef SC3_MIRROR_KEPT_H
#define SC3_MIRROR_KEPT_H

#include "../bytes/buffer.h"
#include "../members/builder.h"
#include "blocks.h"
#include "cipher.h"

/* A value of a record that targets look at, each once. */
typedef struct sc3_kept_slot {
  size_t column, key; /* as of the target: `key` counts where `column` is 0 */
  sc3_slice name;
} sc3_kept_slot;

typedef struct sc3_kept {
  sc3_blocks *blocks;
  sc3_cipher cipher; /* owned */
  sc3_kept_slot slots[SC3_TARGETS_MAX];
  size_t slot_count;
  uint32_t *numbers; /* of the blocks that were written, in order */
  size_t written, capacity;
  unsigned char *block;    /* the one that is being filled */
  size_t n;                /* bytes of it */
  unsigned char *aside;    /* a block that is to be written, or of one that was: */
  size_t index, low, high; /* which of them, and what of it; `high` 0 = none */
  int sparse;              /* rows are read that lie far from each other */
  sc3_buffer row;          /* one that lies in several blocks */
  uint64_t at;             /* behind the row that was read last */
  sc3_field *fields;       /* of the record that is given: of columns, and then of keys */
  size_t columns, keys;    /* that `fields` has room for */
  const sc3_field *found[SC3_KEYS_MAX];
} sc3_kept;

/* Takes the cipher over, whatever it answers. */
sc3_mirror_status sc3_kept_open(sc3_kept *k, sc3_blocks *blocks, const sc3_cipher *cipher);

/* Also for zeros. */
void sc3_kept_close(sc3_kept *k);

/* Whether rows can be kept. */
static inline int sc3_kept_is_open(const sc3_kept *k) {
  return k->cipher.of != NULL;
}

/* Rows are those of this mapping from now on, whose keys are numbered. */
sc3_mirror_status sc3_kept_look(sc3_kept *k, const sc3_mapping *m);

/* Keeps a row that was surveyed and not rejected, and says where. */
sc3_mirror_status sc3_kept_put(sc3_kept *k, const sc3_record *record, const sc3_survey *survey,
                               uint64_t *at);

/* The row that was kept there, by a mapping with the same targets. `record->row` and its line are
   set by the caller, and the former tells whether it is that row. A plain one comes as what
   sc3_builder_survey() made of it, in `*survey`, and its record has no fields; of any other, which
   is to be surveyed again, the record has what targets look at. Borrowed until the next call. */
sc3_mirror_status sc3_kept_read(sc3_kept *k, uint64_t at, sc3_record *record, sc3_survey *survey,
                                int *is_surveyed);

/* Bytes of all rows. */
static inline uint64_t sc3_kept_size(const sc3_kept *k) {
  return (uint64_t)k->written * SC3_BLOCK + k->n;
}

#endif
