#include "mirror_sum.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../csrc/core/bytes/crc32c.h"
#include "../csrc/core/bytes/little.h"
#include "../csrc/core/mirror/fold.h"
#include "../csrc/core/mirror/night.h"

enum { BITS = 2, PARTS = 1 << BITS, AUDIENCES = 5, ENTRIES = 3000, ROWS = 4000, IDS = 2500 };

static uint64_t state;
static uint32_t sum;

static unsigned draw(unsigned n) {
  uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return (unsigned)((z ^ (z >> 31)) >> 33) % n;
}

static void must(sc3_mirror_status status) {
  if (status == SC3_MIRROR_OK)
    return;
  perror(sc3_mirror_describe(status, 0));
  exit(1);
}

static void add_bytes(sc3_slice s) {
  sum = sc3_crc32c(sum, s.p, s.n);
}

static void add_number(uint64_t n) {
  unsigned char bytes[8];
  sc3_store64(bytes, n);
  sum = sc3_crc32c(sum, bytes, sizeof bytes);
}

static sc3_slice any_id(char to[16]) {
  const int n = snprintf(to, 16, "person %u", draw(IDS));
  return sc3_slice_of(to, (size_t)n);
}

static sc3_row_hash any_cells(const sc3_night *night, sc3_slice id) {
  static const char text[] = "anna.smith@example.com";
  const unsigned first = draw(3), second = draw(3), absent = draw(4) == 0; /* in this order */
  sc3_row_hasher row = sc3_row_begin(sc3_night_key(night), id, 0, 0);
  sc3_row_cell(&row, 0, sc3_slice_of(text, first));
  sc3_row_cell(&row, 0, sc3_slice_of(absent ? NULL : text, 20 + second));
  return sc3_row_end(&row);
}

/* A chunk of random entries, whose cells are those of rows. */
static void write_chunk(sc3_chunk_writer *w, const sc3_night *night, uint32_t run) {
  unsigned i;
  sc3_chunk_begin(w, run);
  for (i = 0; i < ENTRIES; i++) {
    char id[16];
    sc3_mirror_entry e;
    e.op = (sc3_entry_op)(draw(3) == 0 ? 1 + draw(5) : 1);
    e.audience = draw(AUDIENCES);
    e.id = any_id(id);
    e.hash = sc3_night_hash(night, e.id);
    e.cells = any_cells(night, e.id).cells;
    e.member = draw(4);
    must(sc3_chunk_put(w, &e));
  }
}

static void take_out(sc3_night *night) {
  const sc3_candidate *c;
  sc3_leaver leaver;
  for (must(sc3_night_candidate(night, 0, &c)); c != NULL;
       must(sc3_night_candidate(night, 0, &c))) {
    const uint64_t values[] = {c->order,  c->offset,   c->hash, c->cells,
                               c->member, c->standing, c->mask};
    size_t i;
    for (i = 0; i < sizeof values / sizeof values[0]; i++)
      add_number(values[i]);
  }
  for (must(sc3_night_leaver(night, &leaver)); leaver.id.p != NULL;
       must(sc3_night_leaver(night, &leaver))) {
    add_number(leaver.hash ^ leaver.mask);
    add_bytes(leaver.id);
  }
}

/* Folds a chunk into the blobs, and merges them with rows and a chunk that is open. */
static void one_night(uint32_t run, char *blobs[PARTS], size_t sizes[PARTS]) {
  const sc3_night_options options = {sc3_sip_read_key((const unsigned char *)"0123456789abcdef"),
                                     sc3_slice_of("1", 1),
                                     BITS,
                                     AUDIENCES,
                                     1,
                                     run / 2,
                                     draw(2) == 0,
                                     "/tmp",
                                     {NULL, NULL, NULL}};
  const sc3_unfolded_options folding = {BITS, AUDIENCES, "/tmp"};
  const sc3_outcome_range applied[] = {{1, 2000, {SC3_OUTCOME_APPLIED, 0}},
                                       {2001, 2500, {SC3_OUTCOME_UNSURE, 1}}};
  const sc3_outcome_range open[] = {{10, 900, {SC3_OUTCOME_OPEN, 0}}};
  sc3_chunk_writer w;
  sc3_night *night;
  sc3_fold *fold;
  sc3_slice blob;
  unsigned i;
  must(sc3_night_open(&night, &options));
  must(sc3_fold_open(&fold, &folding));
  write_chunk(&w, night, run);
  must(sc3_chunk_end(&w, &blob));
  add_bytes(blob);
  must(sc3_fold_chunk(fold, blob, applied, 2));
  sc3_chunk_free(&w);
  write_chunk(&w, night, run + 1);
  must(sc3_chunk_end(&w, &blob));
  must(sc3_night_chunk(night, 0, blob, open, 1));
  sc3_chunk_free(&w);
  for (i = 0; i < ROWS; i++) {
    char text[16];
    const sc3_slice id = any_id(text);
    const sc3_row_hash hash = any_cells(night, id);
    const sc3_row_place place = {i, (uint64_t)i << 30, 3, (uint16_t)draw(1 << AUDIENCES), 0, 1};
    if (draw(50) == 0)
      must(sc3_night_exclude(night, id));
    must(sc3_night_row(night, &hash, &place));
  }
  for (i = 0; i < PARTS; i++) {
    uint32_t records;
    must(sc3_fold_part(fold, i, sc3_slice_of(blobs[i], sizes[i]), &blob, &records));
    free(blobs[i]);
    blobs[i] = malloc(blob.n);
    if (blobs[i] == NULL)
      exit(1);
    memcpy(blobs[i], blob.p, blob.n);
    sizes[i] = blob.n;
    add_bytes(blob);
    must(sc3_night_merge(night, i, blob));
  }
  take_out(night);
  sc3_fold_close(fold);
  sc3_night_close(night);
}

uint32_t mirror_sum(uint64_t seed, unsigned nights) {
  char *blobs[PARTS] = {NULL};
  size_t sizes[PARTS] = {0};
  unsigned i;
  state = seed;
  sum = 0;
  for (i = 0; i < nights; i++)
    one_night(i + 1, blobs, sizes);
  for (i = 0; i < PARTS; i++)
    free(blobs[i]);
  return sum;
}
