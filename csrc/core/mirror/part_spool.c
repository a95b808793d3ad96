#include "part_spool.h"

#include <stdlib.h>

sc3_mirror_status sc3_part_spool_open(sc3_part_spool *s, sc3_blocks *blocks, size_t count) {
  size_t i;
  s->blocks = blocks;
  s->count = 0;
  s->parts = calloc(count, sizeof *s->parts);
  if (s->parts == NULL)
    return SC3_MIRROR_MEMORY;
  s->count = count;
  for (i = 0; i < count; i++)
    s->parts[i].chain.first = s->parts[i].chain.last = SC3_NO_BLOCK;
  return SC3_MIRROR_OK;
}

void sc3_part_spool_close(sc3_part_spool *s) {
  size_t i;
  for (i = 0; i < s->count; i++)
    free(s->parts[i].tail);
  free(s->parts);
  s->parts = NULL;
  s->count = 0;
}

sc3_mirror_status sc3_part_spill(sc3_part_spool *s, size_t part, const void *p, size_t n) {
  sc3_spool_part *to = &s->parts[part];
  const unsigned char *from = p;
  if (to->tail == NULL && (to->tail = malloc(SC3_BLOCK)) == NULL)
    return SC3_MIRROR_MEMORY;
  while (n > 0) {
    const size_t room = SC3_BLOCK - to->n, some = n < room ? n : room;
    memcpy(to->tail + to->n, from, some);
    to->n += (uint32_t)some;
    from += some;
    n -= some;
    if (n > 0) {
      const sc3_mirror_status status = sc3_blocks_put(s->blocks, &to->chain, to->tail);
      if (status != SC3_MIRROR_OK)
        return status;
      to->n = 0;
    }
  }
  return SC3_MIRROR_OK;
}

sc3_mirror_status sc3_part_begin(sc3_part_reader *r, sc3_part_spool *s, size_t part) {
  memset(r, 0, sizeof *r);
  r->block = malloc(SC3_BLOCK);
  if (r->block == NULL)
    return SC3_MIRROR_MEMORY;
  r->spool = s;
  r->part = &s->parts[part];
  return SC3_MIRROR_OK;
}

/* The next block of the partition; 0 where there is none, or it cannot be read. */
static int fetch(sc3_part_reader *r) {
  sc3_spool_part *part = r->part;
  r->at = r->n = 0;
  if (r->status != SC3_MIRROR_OK)
    return 0;
  if (part->chain.first != SC3_NO_BLOCK) {
    r->status = sc3_blocks_take(r->spool->blocks, &part->chain, r->block);
    r->n = r->status == SC3_MIRROR_OK ? SC3_BLOCK : 0;
  } else if (part->tail != NULL) {
    free(r->block);
    r->block = part->tail;
    r->n = part->n;
    part->tail = NULL;
    part->n = 0;
  }
  return r->n > 0;
}

int sc3_part_refill(sc3_part_reader *r, void *to, size_t n) {
  unsigned char *p = to;
  while (n > 0) {
    size_t some = r->n - r->at;
    if (some == 0) {
      if (!fetch(r))
        return 0;
      some = r->n;
    }
    some = n < some ? n : some;
    memcpy(p, r->block + r->at, some);
    r->at += some;
    p += some;
    n -= some;
  }
  return 1;
}

void sc3_part_end(sc3_part_reader *r) {
  if (r->part != NULL) {
    free(r->part->tail);
    r->part->tail = NULL;
    r->part->n = r->part->entries = 0;
    memset(&r->part->before, 0, sizeof r->part->before);
    r->part->chain.first = r->part->chain.last = SC3_NO_BLOCK;
  }
  free(r->block);
  r->block = NULL;
  r->part = NULL;
  r->at = r->n = 0;
}

sc3_mirror_status sc3_part_take(sc3_part_spool *s, size_t part, sc3_buffer *to) {
  sc3_part_reader r;
  sc3_mirror_status status = sc3_part_begin(&r, s, part);
  to->n = 0;
  while (status == SC3_MIRROR_OK && fetch(&r))
    status = sc3_mirror_of(sc3_buffer_append(to, r.block, r.n));
  if (status == SC3_MIRROR_OK)
    status = r.status;
  sc3_part_end(&r);
  return status;
}
