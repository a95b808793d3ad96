#include "leavers.h"

#include "../bytes/little.h"

enum { HEAD = 12, AGAIN_HEAD = 20 };

static size_t head_of(const sc3_leavers *l) {
  return l->again ? AGAIN_HEAD : HEAD;
}

sc3_mirror_status sc3_leavers_open(sc3_leavers *l, sc3_blocks *blocks, int again) {
  memset(l, 0, sizeof *l);
  l->again = again;
  sc3_buffer_init(&l->id, SC3_MIRROR_ID_MAX);
  return sc3_part_spool_open(&l->spool, blocks, 1);
}

void sc3_leavers_close(sc3_leavers *l) {
  sc3_part_end(&l->reader);
  sc3_part_spool_close(&l->spool);
  sc3_buffer_free(&l->id);
}

sc3_mirror_status sc3_leavers_put(sc3_leavers *l, const sc3_leaver *leaver) {
  unsigned char bytes[AGAIN_HEAD];
  sc3_mirror_status status;
  sc3_store64(bytes, leaver->hash);
  sc3_store16(bytes + 8, leaver->mask);
  sc3_store16(bytes + 10, (uint16_t)leaver->id.n);
  sc3_store32(bytes + 12, leaver->again.chunk);
  sc3_store32(bytes + 16, leaver->again.entry);
  status = sc3_part_put(&l->spool, 0, bytes, head_of(l));
  return status == SC3_MIRROR_OK ? sc3_part_put(&l->spool, 0, leaver->id.p, leaver->id.n) : status;
}

static sc3_mirror_status read_id(sc3_leavers *l, size_t size) {
  sc3_status st;
  l->id.n = 0;
  st = sc3_buffer_reserve(&l->id, size);
  if (st != SC3_OK)
    return sc3_mirror_of(st);
  if (!sc3_part_read(&l->reader, l->id.p, size))
    return l->reader.status != SC3_MIRROR_OK ? l->reader.status : SC3_MIRROR_DAMAGED;
  l->current.id = sc3_slice_of(l->id.p, size);
  return SC3_MIRROR_OK;
}

static sc3_mirror_status read_next(sc3_leavers *l) {
  unsigned char bytes[AGAIN_HEAD] = {0};
  sc3_mirror_status status;
  l->current.id = sc3_slice_of(NULL, 0);
  if (!sc3_part_read(&l->reader, bytes, head_of(l)))
    return l->reader.status;
  l->current.hash = sc3_load64(bytes);
  l->current.mask = sc3_load16(bytes + 8);
  l->current.again.chunk = sc3_load32(bytes + 12);
  l->current.again.entry = sc3_load32(bytes + 16);
  status = read_id(l, sc3_load16(bytes + 10));
  l->waits = status == SC3_MIRROR_OK;
  return status;
}

sc3_mirror_status sc3_leavers_look(sc3_leavers *l, sc3_leaver *out) {
  sc3_mirror_status status = SC3_MIRROR_OK;
  if (!l->reading) {
    l->reading = 1;
    status = sc3_part_begin(&l->reader, &l->spool, 0);
  }
  if (status == SC3_MIRROR_OK && !l->waits)
    status = read_next(l);
  *out = l->current;
  return status;
}
