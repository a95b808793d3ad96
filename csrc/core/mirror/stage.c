#include "stage.h"

#include "../bytes/little.h"

enum { EXCLUSION_SIZE = 9, ROW_SIZE = 37, ENTRY_SIZE = 33, REFUSED = 128 };

static void store48(unsigned char *p, uint64_t n) {
  sc3_store32(p, (uint32_t)n);
  sc3_store16(p + 4, (uint16_t)(n >> 32));
}

static uint64_t load48(const unsigned char *p) {
  return sc3_load32(p) | (uint64_t)sc3_load16(p + 4) << 32;
}

sc3_mirror_status sc3_stage_row(sc3_part_spool *to, unsigned bits, uint64_t hash, uint64_t cells,
                                const sc3_row_place *place) {
  unsigned char bytes[ROW_SIZE];
  bytes[0] = SC3_STAGE_ROW;
  sc3_store64(bytes + 1, hash);
  sc3_store64(bytes + 9, cells);
  sc3_store64(bytes + 17, sc3_order_of(place));
  store48(bytes + 25, place->offset);
  sc3_store16(bytes + 31, place->mask);
  sc3_store32(bytes + 33, (uint32_t)place->beyond);
  return sc3_part_put(to, sc3_part_of(hash, bits), bytes, sizeof bytes);
}

sc3_mirror_status sc3_stage_exclusion(sc3_part_spool *to, unsigned bits, uint64_t hash) {
  unsigned char bytes[EXCLUSION_SIZE];
  bytes[0] = SC3_STAGE_EXCLUSION;
  sc3_store64(bytes + 1, hash);
  return sc3_part_put(to, sc3_part_of(hash, bits), bytes, sizeof bytes);
}

static sc3_mirror_status stage_entry(sc3_part_spool *to, unsigned bits,
                                     const sc3_mirror_entry *entry, sc3_became became) {
  const size_t part = sc3_part_of(entry->hash, bits);
  unsigned char bytes[ENTRY_SIZE];
  sc3_mirror_status status;
  bytes[0] = SC3_STAGE_ENTRY;
  bytes[1] =
      (unsigned char)(entry->op | (unsigned)became.outcome << 4 | (became.refused ? REFUSED : 0u));
  bytes[2] = (unsigned char)entry->audience;
  sc3_store32(bytes + 3, entry->run);
  sc3_store64(bytes + 7, entry->hash);
  sc3_store64(bytes + 15, entry->cells);
  sc3_store64(bytes + 23, entry->member);
  sc3_store16(bytes + 31, (uint16_t)entry->id.n);
  status = sc3_part_put(to, part, bytes, sizeof bytes);
  return status == SC3_MIRROR_OK ? sc3_part_put(to, part, entry->id.p, entry->id.n) : status;
}

static int changes(const sc3_mirror_entry *entry, sc3_became became) {
  if (entry->op == SC3_ENTRY_BLANK)
    return 0;
  return !sc3_entry_is_sent(entry->op) || became.outcome != SC3_OUTCOME_NONE || became.refused;
}

sc3_mirror_status sc3_stage_chunk(sc3_part_spool *to, unsigned bits, sc3_chunk_reader *chunk,
                                  const sc3_outcome_range *ranges, size_t count) {
  sc3_mirror_status status;
  sc3_mirror_entry entry;
  uint32_t number = 0;
  size_t at = 0;
  while ((status = sc3_chunk_next(chunk, &entry)) == SC3_MIRROR_OK && entry.id.p != NULL) {
    sc3_became became = {SC3_OUTCOME_NONE, 0};
    number++;
    while (at < count && ranges[at].last < number)
      at++;
    if (at < count && ranges[at].first <= number)
      became = ranges[at].became;
    if (changes(&entry, became))
      status = stage_entry(to, bits, &entry, became);
    if (status != SC3_MIRROR_OK)
      return status;
  }
  return status;
}

/* --- taken out again --- */

static int read_row(sc3_part_reader *r, sc3_staged *out) {
  unsigned char bytes[ROW_SIZE - 1];
  if (!sc3_part_read(r, bytes, sizeof bytes))
    return 0;
  out->hash = sc3_load64(bytes);
  out->cells = sc3_load64(bytes + 8);
  out->order = sc3_load64(bytes + 16);
  out->offset = load48(bytes + 24);
  out->mask = sc3_load16(bytes + 30);
  out->beyond = (int32_t)sc3_load32(bytes + 32);
  return 1;
}

static int read_entry(sc3_part_reader *r, sc3_staged *out) {
  unsigned char bytes[ENTRY_SIZE - 1];
  if (!sc3_part_read(r, bytes, sizeof bytes))
    return 0;
  out->entry.op = (sc3_entry_op)(bytes[0] & 15);
  out->became.outcome = (sc3_entry_outcome)(bytes[0] >> 4 & 7);
  out->became.refused = (bytes[0] & REFUSED) != 0;
  out->entry.audience = bytes[1];
  out->entry.run = sc3_load32(bytes + 2);
  out->entry.hash = out->hash = sc3_load64(bytes + 6);
  out->entry.cells = sc3_load64(bytes + 14);
  out->entry.member = sc3_load64(bytes + 22);
  out->id_size = sc3_load16(bytes + 30);
  return 1;
}

int sc3_staged_next(sc3_part_reader *r, sc3_staged *out) {
  unsigned char kind, bytes[EXCLUSION_SIZE - 1];
  if (!sc3_part_read(r, &kind, 1))
    return 0;
  out->kind = (sc3_stage_kind)kind;
  if (kind == SC3_STAGE_ROW)
    return read_row(r, out);
  if (kind == SC3_STAGE_ENTRY)
    return read_entry(r, out);
  if (!sc3_part_read(r, bytes, sizeof bytes))
    return 0;
  out->hash = sc3_load64(bytes);
  return 1;
}
