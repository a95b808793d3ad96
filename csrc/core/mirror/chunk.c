#include "chunk.h"

#include "../bytes/little.h"
#include "members_blob.h"

enum { FORMAT = 0x82, HEAD = 9, FIXED = 26, LARGEST = 1000000000 };

void sc3_chunk_begin(sc3_chunk_writer *w, uint32_t run) {
  sc3_buffer_init(&w->out, LARGEST);
  w->run = run;
  w->count = 0;
}

static sc3_mirror_status reserve(sc3_chunk_writer *w, size_t n) {
  const sc3_status st = sc3_buffer_reserve(&w->out, HEAD + n);
  if (st == SC3_OK && w->out.n == 0) {
    unsigned char *p = (unsigned char *)w->out.p;
    p[0] = FORMAT;
    sc3_store32(p + 1, w->run);
    w->out.n = HEAD; /* the count comes at the end */
  }
  return sc3_mirror_of(st);
}

sc3_mirror_status sc3_chunk_put(sc3_chunk_writer *w, const sc3_mirror_entry *entry) {
  const sc3_mirror_status status = reserve(w, FIXED + SC3_ID_HEAD + entry->id.n);
  unsigned char *p;
  if (status != SC3_MIRROR_OK)
    return status;
  p = (unsigned char *)w->out.p + w->out.n;
  p[0] = (unsigned char)entry->op;
  w->count++;
  if (entry->op == SC3_ENTRY_BLANK) {
    w->out.n++;
    return SC3_MIRROR_OK;
  }
  p[1] = (unsigned char)entry->audience;
  sc3_store64(p + 2, entry->hash);
  sc3_store64(p + 10, entry->cells);
  sc3_store64(p + 18, entry->member);
  p += FIXED;
  if (entry->op != SC3_ENTRY_NOTE)
    p = sc3_write_id(p, entry->id);
  w->out.n = (size_t)(p - (unsigned char *)w->out.p);
  return SC3_MIRROR_OK;
}

sc3_mirror_status sc3_chunk_end(sc3_chunk_writer *w, sc3_slice *blob) {
  sc3_mirror_status status = reserve(w, 0);
  if (status != SC3_MIRROR_OK)
    return status;
  sc3_store32((unsigned char *)w->out.p + 5, w->count);
  status = sc3_blob_seal(&w->out);
  *blob = sc3_slice_of(w->out.p, w->out.n);
  if (status == SC3_MIRROR_OK)
    w->out.n -= SC3_BLOB_FOOT; /* a further entry takes its place */
  return status;
}

void sc3_chunk_free(sc3_chunk_writer *w) {
  sc3_buffer_free(&w->out);
}

sc3_mirror_status sc3_chunk_open(sc3_chunk_reader *r, sc3_slice blob, unsigned audiences) {
  if (!sc3_blob_is_whole(blob, HEAD) || (unsigned char)blob.p[0] != FORMAT)
    return SC3_MIRROR_DAMAGED;
  r->p = (const unsigned char *)blob.p;
  r->end = r->p + blob.n - SC3_BLOB_FOOT;
  r->run = sc3_load32(r->p + 1);
  r->left = r->count = sc3_load32(r->p + 5);
  r->audiences = audiences;
  r->number = 0;
  r->p += HEAD;
  return SC3_MIRROR_OK;
}

/* An entry that says nothing has its number only: no id, but one that is not NULL. */
static sc3_mirror_status read_blank(sc3_chunk_reader *r, sc3_mirror_entry *entry) {
  memset(entry, 0, sizeof *entry);
  entry->op = SC3_ENTRY_BLANK;
  entry->run = r->run;
  entry->id = sc3_slice_of("", 0);
  r->p++;
  r->left--;
  return SC3_MIRROR_OK;
}

sc3_mirror_status sc3_chunk_next(sc3_chunk_reader *r, sc3_mirror_entry *entry) {
  const unsigned char *p = r->p;
  entry->id.p = NULL;
  if (r->left == 0)
    return p == r->end ? SC3_MIRROR_OK : SC3_MIRROR_DAMAGED;
  if (p < r->end && p[0] == SC3_ENTRY_BLANK)
    return read_blank(r, entry);
  if (r->end - p < FIXED || p[0] < SC3_ENTRY_ADD || p[0] > SC3_ENTRY_REFUSED ||
      p[1] >= r->audiences)
    return SC3_MIRROR_DAMAGED;
  entry->op = (sc3_entry_op)p[0];
  entry->audience = p[1];
  entry->run = r->run;
  entry->hash = sc3_load64(p + 2);
  entry->cells = sc3_load64(p + 10);
  entry->member = sc3_load64(p + 18);
  p += FIXED;
  entry->id = sc3_slice_of("", 0);
  if (entry->op != SC3_ENTRY_NOTE)
    p = sc3_read_id(p, r->end, &entry->id);
  if (p == NULL) {
    entry->id.p = NULL;
    return SC3_MIRROR_DAMAGED;
  }
  r->p = p;
  r->left--;
  return SC3_MIRROR_OK;
}
