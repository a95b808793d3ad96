#include "cells.h"

/* Of ids only the one that is sent counts, which the hash begins with. */
static int counts(sc3_role role) {
  return role != SC3_ROLE_EXTERNAL_ID;
}

/* Which roles there are, how many fallbacks and how many uids, in a cell of its own: so the values
   behind it need no marks. */
static void take_shape(sc3_sip *s, const sc3_values *v) {
  unsigned char shape[3] = {0, 0, (unsigned char)v->uid_count};
  unsigned role;
  size_t i;
  for (role = 0; role < SC3_ROLE_UID; role++)
    shape[0] |= (unsigned char)((v->role[role].p != NULL) << role);
  for (i = 0; i < v->fallback_count; i++)
    shape[1] = (unsigned char)(shape[1] + counts(v->fallbacks[i].role));
  sc3_sip_cell(s, sc3_slice_of((const char *)shape, sizeof shape));
}

sc3_sip sc3_night_values(const sc3_night *n, sc3_slice id, const sc3_values *v) {
  sc3_sip s = sc3_night_cells(n, id);
  size_t i;
  take_shape(&s, v);
  for (i = 0; i < SC3_ROLE_UID; i++) {
    if (v->role[i].p != NULL && counts((sc3_role)i))
      sc3_sip_cell(&s, v->role[i]);
  }
  for (i = 0; i < v->fallback_count; i++) {
    const char role = (char)v->fallbacks[i].role;
    if (!counts(v->fallbacks[i].role))
      continue;
    sc3_sip_cell(&s, sc3_slice_of(&role, 1));
    sc3_sip_cell(&s, v->fallbacks[i].value);
  }
  for (i = 0; i < v->uid_count; i++) {
    sc3_sip_cell(&s, v->uids[i].type);
    sc3_sip_cell(&s, v->uids[i].value);
  }
  return s;
}
