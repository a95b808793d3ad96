#include "stage.h"

#include "../bytes/little.h"

enum {
  EXCLUSION_SIZE = 9,
  ENTRY_SIZE = 33,
  AGAIN_SIZE = 8,
  REFUSED = 128,
  ROW_HEAD = 17,
  FAR_SIZE = ROW_HEAD + 20,
  CLOSE_SIZE = ROW_HEAD + 5,
  UINT24_MAX = 0xffffff,
  KIND = 15, /* the bits of a first byte that are not these: */
  CLOSE = 16,
  OTHER_MASK = 32,
  OTHER_LINE = 64,
  FURTHER = 128
};

static void store48(unsigned char *p, uint64_t n) {
  sc3_store32(p, (uint32_t)n);
  sc3_store16(p + 4, (uint16_t)(n >> 32));
}

static uint64_t load48(const unsigned char *p) {
  return sc3_load32(p) | (uint64_t)sc3_load16(p + 4) << 32;
}

/* --- rows ---
 *
 * Most rows of a partition follow each other closely in one file, so that what differs from the one
 * before takes few bytes:
 *
 *   kind and form 1, hash 8, cells 8,
 *   CLOSE: rows between 2, bytes between 3
 *   else:  order 8, offset 6, mask 2, beyond 4
 *   OTHER_MASK: mask 2
 *   OTHER_LINE: how much `beyond` has grown 2
 *   FURTHER: nothing */

static unsigned form_of(const sc3_row_place *before, const sc3_row_place *place) {
  const uint64_t lines = (uint64_t)((int64_t)place->beyond - before->beyond);
  const unsigned further = place->further ? FURTHER : 0u;
  if (place->file != before->file || place->row - before->row > UINT16_MAX ||
      place->offset - before->offset > UINT24_MAX || lines > UINT16_MAX)
    return further;
  return further | CLOSE | (place->mask != before->mask ? OTHER_MASK : 0u) |
         (lines != 0 ? OTHER_LINE : 0u);
}

static size_t size_of(unsigned form) {
  return (form & CLOSE) == 0 ? FAR_SIZE
                             : CLOSE_SIZE + ((form & OTHER_MASK) != 0 ? 2u : 0u) +
                                   ((form & OTHER_LINE) != 0 ? 2u : 0u);
}

static void write_row(unsigned char *p, unsigned form, const sc3_row_hash *hash,
                      const sc3_row_place *before, const sc3_row_place *place) {
  p[0] = (unsigned char)(SC3_STAGE_ROW | form);
  sc3_store64(p + 1, hash->id);
  sc3_store64(p + 9, hash->cells);
  p += ROW_HEAD;
  if ((form & CLOSE) == 0) {
    sc3_store64(p, sc3_order_of(place));
    store48(p + 8, place->offset);
    sc3_store16(p + 14, place->mask);
    sc3_store32(p + 16, (uint32_t)place->beyond);
    return;
  }
  sc3_store16(p, (uint16_t)(place->row - before->row));
  sc3_store16(p + 2, (uint16_t)(place->offset - before->offset));
  p[4] = (unsigned char)((place->offset - before->offset) >> 16);
  p += 5;
  if ((form & OTHER_MASK) != 0) {
    sc3_store16(p, place->mask);
    p += 2;
  }
  if ((form & OTHER_LINE) != 0)
    sc3_store16(p, (uint16_t)(place->beyond - before->beyond));
}

sc3_mirror_status sc3_stage_row(sc3_part_spool *to, unsigned bits, const sc3_row_hash *hash,
                                const sc3_row_place *place) {
  const size_t part = sc3_part_of(hash->id, bits);
  sc3_row_place *const before = &to->parts[part].before;
  const unsigned form = form_of(before, place);
  const size_t size = size_of(form);
  unsigned char aside[FAR_SIZE], *const room = sc3_part_room(to, part, size);
  write_row(room != NULL ? room : aside, form, hash, before, place);
  *before = *place;
  if (room == NULL)
    return sc3_part_spill(to, part, aside, size);
  sc3_part_prefetch(room, size);
  return SC3_MIRROR_OK;
}

/* --- exclusions and entries --- */

sc3_mirror_status sc3_stage_exclusion(sc3_part_spool *to, unsigned bits, uint64_t hash) {
  unsigned char bytes[EXCLUSION_SIZE];
  bytes[0] = SC3_STAGE_EXCLUSION;
  sc3_store64(bytes + 1, hash);
  return sc3_part_put(to, sc3_part_of(hash, bits), bytes, sizeof bytes);
}

static sc3_mirror_status stage_entry(sc3_part_spool *to, unsigned bits,
                                     const sc3_mirror_entry *entry, sc3_became became,
                                     sc3_again again) {
  const size_t part = sc3_part_of(entry->hash, bits);
  unsigned char bytes[ENTRY_SIZE + AGAIN_SIZE];
  size_t n = ENTRY_SIZE;
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
  if (became.outcome == SC3_OUTCOME_AGAIN) {
    sc3_store32(bytes + ENTRY_SIZE, again.chunk);
    sc3_store32(bytes + ENTRY_SIZE + 4, again.entry);
    n += AGAIN_SIZE;
  }
  status = sc3_part_put(to, part, bytes, n);
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
  sc3_again again = {chunk->number, 0};
  size_t at = 0;
  while ((status = sc3_chunk_next(chunk, &entry)) == SC3_MIRROR_OK && entry.id.p != NULL) {
    sc3_became became = {SC3_OUTCOME_NONE, 0};
    again.entry++;
    while (at < count && ranges[at].last < again.entry)
      at++;
    if (at < count && ranges[at].first <= again.entry)
      became = ranges[at].became;
    if (changes(&entry, became))
      status = stage_entry(to, bits, &entry, became, again);
    if (status != SC3_MIRROR_OK)
      return status;
  }
  return status;
}

/* --- taken out again --- */

/* What stands behind the head of a row; 0 where it cannot be read. */
static int read_place(sc3_part_reader *r, unsigned form) {
  unsigned char aside[FAR_SIZE];
  const size_t size = size_of(form) - ROW_HEAD;
  const unsigned char *p = sc3_part_view(r, aside, size);
  sc3_row_place *const place = &r->before;
  if (p == NULL)
    return 0;
  if ((form & CLOSE) == 0) {
    place->file = sc3_load16(p + 6);
    place->row = load48(p);
    place->offset = load48(p + 8);
    place->mask = sc3_load16(p + 14);
    place->beyond = (int32_t)sc3_load32(p + 16);
    return 1;
  }
  place->row += sc3_load16(p);
  place->offset += sc3_load16(p + 2) | (uint32_t)p[4] << 16;
  p += 5;
  if ((form & OTHER_MASK) != 0) {
    place->mask = sc3_load16(p);
    p += 2;
  }
  if ((form & OTHER_LINE) != 0)
    place->beyond += sc3_load16(p);
  return 1;
}

static int read_row(sc3_part_reader *r, unsigned form, sc3_staged *out) {
  unsigned char aside[ROW_HEAD];
  const unsigned char *p = sc3_part_view(r, aside, ROW_HEAD - 1);
  if (p == NULL)
    return 0;
  out->hash = sc3_load64(p);
  out->cells = sc3_load64(p + 8);
  out->place = &r->before;
  r->before.further = (form & FURTHER) != 0;
  return read_place(r, form);
}

/* What stands behind an entry that goes again. */
static int read_again(sc3_part_reader *r, sc3_again *out) {
  unsigned char bytes[AGAIN_SIZE];
  if (!sc3_part_read(r, bytes, sizeof bytes))
    return 0;
  out->chunk = sc3_load32(bytes);
  out->entry = sc3_load32(bytes + 4);
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
  out->again.chunk = out->again.entry = 0;
  return out->became.outcome != SC3_OUTCOME_AGAIN || read_again(r, &out->again);
}

int sc3_staged_next(sc3_part_reader *r, sc3_staged *out) {
  unsigned char kind, bytes[EXCLUSION_SIZE - 1];
  if (!sc3_part_read(r, &kind, 1))
    return 0;
  out->kind = (sc3_stage_kind)(kind & KIND);
  if (out->kind == SC3_STAGE_ROW)
    return read_row(r, kind, out);
  if (kind == SC3_STAGE_ENTRY)
    return read_entry(r, out);
  if (!sc3_part_read(r, bytes, sizeof bytes))
    return 0;
  out->hash = sc3_load64(bytes);
  return 1;
}
