#include "member.h"

#include "../identity/email.h"
#include "../identity/hashed.h"
#include "id.h"
#include "../bytes/json.h"
#include "../identity/phone.h"
#include "../identity/region.h"
#include "../bytes/sha256.h"
#include "../bytes/text.h"

typedef sc3_reason (*normalizer)(sc3_slice raw, const sc3_values *v, sc3_reading *reading,
                                 char *out, size_t *n, sc3_repairs *repairs);

static sc3_reason normalize_email(sc3_slice raw, const sc3_values *v, sc3_reading *reading,
                                  char *out, size_t *n, sc3_repairs *repairs) {
  (void)v;
  return sc3_email_normalize(raw, reading->repair, out, n, repairs);
}

int sc3_reading_region(sc3_reading *reading, sc3_slice name) {
  name = sc3_text_trim(name);
  return name.n > 0 ? sc3_region_recall(&reading->regions, name) : reading->region;
}

static sc3_reason normalize_phone(sc3_slice raw, const sc3_values *v, sc3_reading *reading,
                                  char *out, size_t *n, sc3_repairs *repairs) {
  sc3_slice name = sc3_text_trim(v->role[SC3_ROLE_REGION]);
  sc3_phone phone;
  sc3_reason why =
      sc3_phone_normalize(raw, sc3_reading_region(reading, name), reading->phone_repairs, &phone);
  if (why != SC3_R_NONE)
    return why == SC3_R_PHONE_NATIONAL && name.n > 0 ? SC3_R_PHONE_REGION : why;
  memcpy(out, phone.text, phone.n);
  *n = phone.n;
  *repairs |= phone.repairs;
  return SC3_R_NONE;
}

static void drop(sc3_outcome *o, sc3_role role, uint32_t column, sc3_reason reason) {
  o->dropped[o->dropped_count].role = role;
  o->dropped[o->dropped_count].column = column;
  o->dropped[o->dropped_count].reason = reason;
  o->dropped_count++;
}

/* A value that is not blank, trimmed; else {NULL, 0}. Trimming stops at bytes that are not UTF-8,
   which is enough to tell a blank value. */
static sc3_slice some(sc3_slice raw) {
  sc3_slice s = {NULL, 0};
  if (sc3_slice_some(raw)) {
    raw = sc3_text_trim(raw);
    if (raw.n > 0)
      s = raw;
  }
  return s;
}

/* An email or a phone of a member. */
typedef struct identity {
  enum { IDENTITY_NONE, IDENTITY_NORMAL, IDENTITY_HASHED } state;
  size_t n;
  char normal[SC3_EMAIL_MAX]; /* still to be hashed; an email is the longer of the two */
  char hex[SC3_SHA256_HEX];
} identity;

/* A value that is hashed already: 1 when it is a hash, used or dropped. */
static int take_hash(sc3_slice value, sc3_role role, uint32_t column, identity *it,
                     sc3_outcome *o) {
  sc3_repairs repairs = 0;
  sc3_reason why;
  if (!sc3_hashed_length(value.n))
    return 0;
  switch (sc3_hashed_recognize(value, it->hex, &why, &repairs)) {
    case SC3_HASHED_SHA256:
      it->state = IDENTITY_HASHED;
      o->prehashed++;
      o->repairs |= repairs;
      return 1;
    case SC3_HASHED_REFUSED: drop(o, role, column, why); return 1;
    default: return 0;
  }
}

/* How the values of one kind are read, and from which roles. */
typedef struct reader {
  sc3_role raw, hashed;
  normalizer normalize;
} reader;

static void take_raw(const reader *r, sc3_slice value, uint32_t column, const sc3_values *v,
                     sc3_reading *reading, identity *it, sc3_outcome *o) {
  sc3_repairs repairs = 0;
  sc3_reason why;
  if (take_hash(value, r->raw, column, it, o)) {
    if (it->state == IDENTITY_HASHED)
      o->came_hashed |= 1u << r->raw;
    return;
  }
  why = r->normalize(value, v, reading, it->normal, &it->n, &repairs);
  if (why != SC3_R_NONE) {
    drop(o, r->raw, column, why);
    return;
  }
  it->state = IDENTITY_NORMAL;
  o->came_raw |= 1u << r->raw;
  o->repairs |= repairs;
}

static void take_hashed(const reader *r, sc3_slice value, uint32_t column, identity *it,
                        sc3_outcome *o) {
  if (!take_hash(value, r->hashed, column, it, o))
    drop(o, r->hashed, column, SC3_R_HASH_MALFORMED);
}

static int is_same(sc3_slice value, sc3_slice other) {
  if (!sc3_slice_some(value) || !sc3_slice_some(other))
    return 0;
  value = sc3_text_trim(value);
  return value.n > 0 && sc3_slice_eq(value, sc3_text_trim(other));
}

/* The first value that can be used: of the raw role, then of the hashed one. */
static void identify(const reader *r, const sc3_values *v, sc3_reading *reading, identity *it,
                     sc3_outcome *o) {
  sc3_slice value = some(v->role[r->raw]);
  size_t i;
  it->state = IDENTITY_NONE;
  if (value.p != NULL)
    take_raw(r, value, v->column[r->raw], v, reading, it, o);
  for (i = 0; i < v->fallback_count && it->state == IDENTITY_NONE; i++) {
    if (v->fallbacks[i].role == r->raw)
      take_raw(r, v->fallbacks[i].value, v->fallbacks[i].column, v, reading, it, o);
  }
  if (it->state != IDENTITY_NONE)
    return;
  value = some(v->role[r->hashed]);
  if (value.p != NULL)
    take_hashed(r, value, v->column[r->hashed], it, o);
  for (i = 0; i < v->fallback_count && it->state == IDENTITY_NONE; i++) {
    if (v->fallbacks[i].role == r->hashed)
      take_hashed(r, v->fallbacks[i].value, v->fallbacks[i].column, it, o);
  }
}

/* Whether a value is the email or the phone of its own member, as where one column is mapped twice.
 */
static sc3_contact meant_by(const sc3_values *v, sc3_slice value, sc3_contact named) {
  sc3_slice email = v->role[SC3_ROLE_EMAIL], phone = v->role[SC3_ROLE_PHONE];
  size_t i;
  if (named != SC3_CONTACT_NONE || value.n < 5) /* a@b.c is the shortest */
    return named;
  if (is_same(value, email))
    return SC3_CONTACT_EMAIL;
  if (is_same(value, phone) || (phone.n > 0 && sc3_contact_same_number(value, phone)))
    return SC3_CONTACT_PHONE;
  for (i = 0; i < v->fallback_count; i++) {
    const sc3_slice other = v->fallbacks[i].value;
    const sc3_role role = v->fallbacks[i].role;
    if (role == SC3_ROLE_EMAIL && is_same(value, other))
      return SC3_CONTACT_EMAIL;
    if (role == SC3_ROLE_PHONE && (is_same(value, other) || sc3_contact_same_number(value, other)))
      return SC3_CONTACT_PHONE;
  }
  return SC3_CONTACT_NONE;
}

/* The first external id that can be used. Those before it are dropped; where there is none, the
 * first is to blame. */
static sc3_reason take_id(const sc3_values *v, sc3_reading *reading, char hex[SC3_SHA256_HEX],
                          sc3_slice *id, sc3_outcome *o) {
  sc3_slice raw = v->role[SC3_ROLE_EXTERNAL_ID], region = v->role[SC3_ROLE_REGION];
  uint32_t column = v->column[SC3_ROLE_EXTERNAL_ID];
  sc3_reason first, why;
  size_t i;
  o->at_column = column;
  if (!sc3_slice_some(raw))
    return SC3_R_NO_EXTERNAL_ID;
  first = why = sc3_id_read(raw, meant_by(v, raw, v->meant), region, reading, hex, id, &o->repairs);
  for (i = 0; i < v->fallback_count && why != SC3_R_NONE; i++) {
    if (v->fallbacks[i].role != SC3_ROLE_EXTERNAL_ID)
      continue;
    drop(o, SC3_ROLE_EXTERNAL_ID, column, why);
    column = v->fallbacks[i].column;
    why = sc3_id_read(v->fallbacks[i].value,
                      meant_by(v, v->fallbacks[i].value, v->fallbacks_meant[i]), region, reading,
                      hex, id, &o->repairs);
  }
  if (why == SC3_R_NONE)
    return SC3_R_NONE;
  o->dropped_count = 0; /* the row is refused for it, and that once */
  return first;
}

static void hash_identities(identity *email, identity *phone) {
  if (email->state == IDENTITY_NORMAL && phone->state == IDENTITY_NORMAL)
    sc3_sha256_hex_pair(email->normal, email->n, email->hex, phone->normal, phone->n, phone->hex);
  else if (email->state == IDENTITY_NORMAL)
    sc3_sha256_hex(email->normal, email->n, email->hex);
  else if (phone->state == IDENTITY_NORMAL)
    sc3_sha256_hex(phone->normal, phone->n, phone->hex);
}

/* ,"hashedEmail":"…" or ,"hashedPhone":"…": as long as each other. */
enum { HASH_KEY = sizeof ",\"hashedEmail\":\"" - 1, HASH_MEMBER = HASH_KEY + SC3_SHA256_HEX + 1 };

/* Only after sc3_buffer_reserve(). */
static void put_hash(sc3_buffer *out, const char key[HASH_KEY], const char hex[SC3_SHA256_HEX]) {
  sc3_buffer_put(out, key, HASH_KEY);
  sc3_buffer_put(out, hex, SC3_SHA256_HEX);
  SC3_PUT_LITERAL(out, "\"");
}

static sc3_status put_uids(sc3_buffer *out, const sc3_uid_form *uids, size_t count) {
  const char *before = ",\"uids\":[{\"type\":\"";
  size_t i;
  sc3_status st = SC3_OK;
  for (i = 0; i < count && st == SC3_OK; i++) {
    st = sc3_buffer_append(out, before, strlen(before));
    before = ",{\"type\":\"";
    if (st == SC3_OK)
      st = sc3_json_escape(out, uids[i].type);
    if (st == SC3_OK)
      st = sc3_buffer_append(out, "\",\"value\":\"", 11);
    if (st == SC3_OK)
      st = sc3_json_escape(out, uids[i].value);
    if (st == SC3_OK)
      st = sc3_buffer_append(out, "\"}", 2);
  }
  return st == SC3_OK ? sc3_buffer_append(out, "]", 1) : st;
}

static sc3_status write_whole(sc3_buffer *out, sc3_op op, const sc3_values *v, sc3_reading *reading,
                              sc3_outcome *o) {
  static const reader emails = {SC3_ROLE_EMAIL, SC3_ROLE_HASHED_EMAIL, normalize_email},
                      phones = {SC3_ROLE_PHONE, SC3_ROLE_HASHED_PHONE, normalize_phone};
  identity email, phone;
  sc3_uid_form uids[SC3_UIDS_MAX];
  char id_hex[SC3_SHA256_HEX];
  sc3_slice id;
  size_t i, start = out->n;
  sc3_status st;

  o->at = SC3_ROLE_EXTERNAL_ID;
  o->rejected = take_id(v, reading, id_hex, &id, o);
  if (o->rejected != SC3_R_NONE)
    return SC3_OK;
  o->at = SC3_ROLE_NONE;

  if (op == SC3_ADD) {
    identify(&emails, v, reading, &email, o);
    identify(&phones, v, reading, &phone, o);
    hash_identities(&email, &phone);
    o->emails = email.state != IDENTITY_NONE;
    o->phones = phone.state != IDENTITY_NONE;
    for (i = 0; i < v->uid_count; i++) {
      sc3_uid_form *form = &uids[o->uids];
      sc3_uid uid = v->uids[i];
      sc3_reason why;
      uid.meant = meant_by(v, uid.value, uid.meant);
      why = sc3_uid_read(&uid, reading->repair, form);
      if (why == SC3_R_NONE) {
        o->uids++;
        o->repairs |= form->repairs;
      } else {
        drop(o, SC3_ROLE_UID, v->uids[i].column, why);
      }
    }
    if (o->emails + o->phones + o->uids == 0) {
      o->rejected = SC3_R_NO_IDENTIFIER;
      return SC3_OK;
    }
  }

  st = sc3_buffer_append(out, "{\"externalId\":\"", SC3_MEMBER_ID_AT);
  if (st == SC3_OK)
    st = sc3_json_escape(out, id);
  if (st == SC3_OK) {
    o->id_length = out->n - start - SC3_MEMBER_ID_AT;
    st = sc3_buffer_reserve(out, 2 * HASH_MEMBER + sizeof "\"},");
  }
  if (st != SC3_OK)
    return st;
  SC3_PUT_LITERAL(out, "\"");
  if (o->emails > 0)
    put_hash(out, ",\"hashedEmail\":\"", email.hex);
  if (o->phones > 0)
    put_hash(out, ",\"hashedPhone\":\"", phone.hex);
  if (o->uids > 0)
    st = put_uids(out, uids, o->uids);
  return st == SC3_OK ? sc3_buffer_append(out, "},", 2) : st;
}

sc3_status sc3_member_write(sc3_buffer *out, sc3_op op, const sc3_values *values,
                            sc3_reading *reading, sc3_outcome *outcome) {
  size_t start = out->n;
  sc3_status st;
  outcome->rejected = SC3_R_NONE;
  outcome->at = SC3_ROLE_NONE;
  outcome->at_column = 0;
  outcome->dropped_count = 0;
  outcome->emails = outcome->phones = outcome->uids = outcome->prehashed = 0;
  outcome->came_raw = outcome->came_hashed = 0;
  outcome->repairs = 0;
  outcome->id_length = 0;
  st = write_whole(out, op, values, reading, outcome);
  if (st != SC3_OK)
    out->n = start;
  return st;
}
