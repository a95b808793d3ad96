#include "cells.h"

/* Of ids only the one that is sent counts, which the hash begins with. */
static int counts(sc3_role role) {
  return role != SC3_ROLE_EXTERNAL_ID;
}

/* Fallbacks and uids, which most maps have none of. */
static void take_others(sc3_sip *s, const sc3_values *v) {
  size_t i;
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

/* Which roles there are, how many fallbacks and how many uids, in a word of its own: so the values
   behind it need no marks. */
static uint64_t shape_of(const sc3_values *v) {
  uint64_t shape = (uint64_t)v->uid_count << 16;
  unsigned role;
  size_t i;
  for (role = 0; role < SC3_ROLE_UID; role++)
    shape |= (uint64_t)(v->role[role].p != NULL) << role;
  for (i = 0; i < v->fallback_count; i++)
    shape += (uint64_t)counts(v->fallbacks[i].role) << 8;
  return shape;
}

sc3_row_hash sc3_night_values(const sc3_night *n, sc3_slice id, const sc3_values *v) {
  /* Nobody has the address of these, so that they stay in registers. */
  sc3_sip_row row = sc3_sip_row_begin(sc3_night_key(n), id);
  sc3_sip s = row.s;
  size_t i;
  sc3_sip_word(&s, shape_of(v));
  for (i = 0; i < SC3_ROLE_UID; i++) {
    if (v->role[i].p != NULL && counts((sc3_role)i))
      sc3_sip_take_cell(&s, v->role[i]);
  }
  if (v->fallback_count > 0 || v->uid_count > 0) {
    sc3_sip others = s;
    take_others(&others, v);
    s = others;
  }
  row.s = s;
  return sc3_sip_row_end(&row);
}
