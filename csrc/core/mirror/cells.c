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
static void take_others(sc3_sip *s, const sc3_values *v, int hashed) {
  const sc3_slice none = {NULL, 0}, email = bytes_of(v, SC3_ROLE_HASHED_EMAIL),
                  phone = bytes_of(v, SC3_ROLE_HASHED_PHONE);
  size_t i;
  if (hashed) {
    sc3_sip_word(s, lengths_of(email, phone, none));
    sc3_sip_bytes(s, email);
    sc3_sip_bytes(s, phone);
  }
  for (i = 0; i < v->fallback_count; i++) {
    const char role = (char)v->fallbacks[i].role;
    if (!counts(v->fallbacks[i].role))
      continue;
    sc3_sip_cell(s, sc3_slice_of(&role, 1));
    sc3_sip_cell(s, v->fallbacks[i].value);
  }
  for (i = 0; i < v->uid_count; i++) {
    sc3_sip_cell(s, v->uids[i].type);
    sc3_sip_cell(s, v->uids[i].value);
  }
}

/* The text that is hashed, between the id and its length: lengths of email, phone and region, and
   their bytes; where there are hashed ones, these likewise; the others; and the shape as mark. */
sc3_row_hash sc3_night_values(const sc3_night *n, sc3_slice id, const sc3_values *v) {
  enum { HASHED = 1 << SC3_ROLE_HASHED_EMAIL | 1 << SC3_ROLE_HASHED_PHONE };
  const uint32_t shape = shape_of(v);
  const sc3_slice email = bytes_of(v, SC3_ROLE_EMAIL), phone = bytes_of(v, SC3_ROLE_PHONE),
                  region = bytes_of(v, SC3_ROLE_REGION);
  /* Nobody has the address of these, so that they stay in registers. */
  sc3_sip_row row = sc3_sip_row_begin(sc3_night_key(n), id);
  sc3_sip s = row.s;
  sc3_sip_word(&s, lengths_of(email, phone, region));
  sc3_sip_bytes(&s, email);
  sc3_sip_bytes(&s, phone);
  sc3_sip_bytes(&s, region);
  if ((shape & HASHED) != 0 || shape >> 8 != 0) {
    sc3_sip others = s;
    take_others(&others, v, (shape & HASHED) != 0);
    s = others;
  }
  row.s = s;
  return sc3_sip_row_end(&row, shape);
}
