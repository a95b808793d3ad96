#include "cells.h"

/* Of ids only the one that is sent counts, which the hash begins with. */
static int counts(sc3_role role) {
  return role != SC3_ROLE_EXTERNAL_ID;
}

/* Which roles there are, how many fallbacks and how many uids: so no value needs a mark. */
static uint32_t shape_of(const sc3_values *v) {
#define HAS(role_) ((uint32_t)(v->role[SC3_ROLE_##role_].p != NULL) << SC3_ROLE_##role_)
  uint32_t shape = HAS(EMAIL) | HAS(PHONE) | HAS(REGION) | HAS(HASHED_EMAIL) | HAS(HASHED_PHONE);
#undef HAS
  size_t i;
  for (i = 0; i < v->fallback_count; i++)
    shape += (uint32_t)counts(v->fallbacks[i].role) << 8;
  return shape | (uint32_t)v->uid_count << 16;
}

/* The value of a role; none has no bytes. */
static inline sc3_slice bytes_of(const sc3_values *v, sc3_role role) {
  return sc3_slice_of(v->role[role].p, v->role[role].p != NULL ? v->role[role].n : 0);
}

/* A word of three lengths. No value is longer than a row, which has at most 2^20 bytes. */
static inline uint64_t lengths_of(sc3_slice a, sc3_slice b, sc3_slice c) {
  enum { WIDTH = 21 };
  return a.n | (uint64_t)b.n << WIDTH | (uint64_t)c.n << 2 * WIDTH;
}

/* What most maps have none of: hashed values, fallbacks and uids. */
static void take_others(sc3_row_hasher *r, const sc3_values *v, int hashed) {
  size_t i;
  if (hashed) {
    sc3_row_cell(r, SC3_ROLE_HASHED_EMAIL, bytes_of(v, SC3_ROLE_HASHED_EMAIL));
    sc3_row_cell(r, SC3_ROLE_HASHED_PHONE, bytes_of(v, SC3_ROLE_HASHED_PHONE));
  }
  for (i = 0; i < v->fallback_count; i++) {
    if (counts(v->fallbacks[i].role))
      sc3_row_cell(r, v->fallbacks[i].role, v->fallbacks[i].value);
  }
  for (i = 0; i < v->uid_count; i++) {
    sc3_row_cell(r, SC3_ROLE_UID, v->uids[i].type);
    sc3_row_cell(r, SC3_ROLE_UID, v->uids[i].value);
  }
}

/* What is hashed besides the id: lengths of email, phone and region, and their bytes; where there
   are hashed ones, these; the others. The shape is the mark. */
sc3_row_hash sc3_night_values(const sc3_night *n, sc3_slice id, const sc3_values *v) {
  enum { HASHED = 1 << SC3_ROLE_HASHED_EMAIL | 1 << SC3_ROLE_HASHED_PHONE };
  const uint32_t shape = shape_of(v);
  const sc3_slice email = bytes_of(v, SC3_ROLE_EMAIL), phone = bytes_of(v, SC3_ROLE_PHONE),
                  region = bytes_of(v, SC3_ROLE_REGION);
  /* Nobody has the address of this one, so that it stays in registers. */
  sc3_row_hasher row = sc3_row_begin(sc3_night_key(n), id, lengths_of(email, phone, region), shape);
  sc3_night_expect(n, row.id);
  sc3_nh_bytes(&row.nh, email);
  sc3_nh_bytes(&row.nh, phone);
  sc3_nh_bytes(&row.nh, region);
  if ((shape & HASHED) != 0 || shape >> 8 != 0) {
    sc3_row_hasher others = row;
    take_others(&others, v, (shape & HASHED) != 0);
    row = others;
  }
  return sc3_row_end(&row);
}
