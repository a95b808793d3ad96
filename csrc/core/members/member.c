#include "member.h"

#include "../identity/email.h"
#include "../identity/hashed.h"
#include "../identity/external_id.h"
#include "../bytes/json.h"
#include "../identity/phone.h"
#include "../bytes/text.h"

static void drop(sc3_outcome *o, sc3_role role, uint32_t column, sc3_reason reason) {
  o->dropped[o->dropped_count].role = role;
  o->dropped[o->dropped_count].column = column;
  o->dropped[o->dropped_count].reason = reason;
  o->dropped_count++;
}

/* A value that is not blank, trimmed; else {NULL, 0}. Trimming stops at bytes that are not UTF-8,
   which is enough to tell a blank value. */
static sc3_slice trim_value(sc3_slice raw) {
  sc3_slice s = {NULL, 0};
  if (sc3_slice_some(raw)) {
    raw = sc3_text_trim(raw);
    if (raw.n > 0)
      s = raw;
  }
  return s;
}

/* A member under way. */
typedef struct work {
  const sc3_values *values;
  sc3_reading *reading;
  sc3_outcome *outcome;
} work;

/* A value and the column of the source that it came from, 0 = that of the role. */
typedef struct candidate {
  sc3_slice value;
  uint32_t column;
} candidate;

/* An email or a phone of a member. */
typedef struct identity {
  enum { IDENTITY_NONE, IDENTITY_NORMAL, IDENTITY_LATER, IDENTITY_HASHED } state;
  sc3_email normal; /* still to be hashed, here or by the caller: an email, or a phone, which is
                       shorter */
  char hex[SC3_SHA256_HEX];
} identity;

typedef sc3_reason (*normalizer)(const work *w, sc3_slice raw, sc3_email *normal);

static sc3_reason normalize_email(const work *w, sc3_slice raw, sc3_email *normal) {
  return sc3_email_normalize(raw, w->reading->repair, normal);
}

static sc3_reason normalize_phone(const work *w, sc3_slice raw, sc3_email *normal) {
  sc3_slice name = sc3_text_trim(w->values->role[SC3_ROLE_REGION]);
  sc3_phone phone;
  sc3_reason why = sc3_phone_normalize(raw, sc3_reading_region(w->reading, name),
                                       w->reading->phone_repairs, &phone);
  if (why != SC3_R_NONE)
    return why == SC3_R_PHONE_NATIONAL && name.n > 0 ? SC3_R_PHONE_REGION : why;
  memcpy(normal->text, phone.text, phone.n);
  normal->n = phone.n;
  normal->repairs = phone.repairs;
  return SC3_R_NONE;
}

/* A value that is hashed already: 1 when it is a hash, used or dropped. */
static int take_hash(const work *w, sc3_role role, const candidate *c, identity *it) {
  sc3_repairs repairs = 0;
  sc3_reason why;
  if (!sc3_hashed_is_possible(c->value.n))
    return 0;
  switch (sc3_hashed_recognize(c->value, it->hex, &why, &repairs)) {
    case SC3_HASHED_SHA256:
      it->state = IDENTITY_HASHED;
      w->outcome->prehashed++;
      w->outcome->repairs |= repairs;
      return 1;
    case SC3_HASHED_REFUSED: drop(w->outcome, role, c->column, why); return 1;
    default: return 0;
  }
}

/* How the values of one kind are read, and from which roles. */
typedef struct reader {
  sc3_role raw, hashed;
  normalizer normalize;
} reader;

static void take_raw(const work *w, const reader *r, const candidate *c, identity *it) {
  sc3_reason why;
  if (take_hash(w, r->raw, c, it)) {
    if (it->state == IDENTITY_HASHED)
      w->outcome->came_hashed |= 1u << r->raw;
    return;
  }
  why = r->normalize(w, c->value, &it->normal);
  if (why != SC3_R_NONE) {
    drop(w->outcome, r->raw, c->column, why);
    return;
  }
  it->state = IDENTITY_NORMAL;
  w->outcome->came_raw |= 1u << r->raw;
  w->outcome->repairs |= it->normal.repairs;
}

static void take_hashed(const work *w, const reader *r, const candidate *c, identity *it) {
  if (!take_hash(w, r->hashed, c, it))
    drop(w->outcome, r->hashed, c->column, SC3_R_HASH_MALFORMED);
}

static int is_same_trimmed(sc3_slice value, sc3_slice other) {
  value = sc3_text_trim(value);
  return value.n > 0 && sc3_slice_eq(value, sc3_text_trim(other));
}

/* Most differ in their first character, which is asked of every row. */
static inline int is_same(sc3_slice value, sc3_slice other) {
  if (!sc3_slice_some(value) || !sc3_slice_some(other))
    return 0;
  if (*value.p != *other.p && (signed char)*value.p > 0x20 && (signed char)*other.p > 0x20)
    return 0; /* nothing is trimmed there */
  return is_same_trimmed(value, other);
}

static void take(const work *w, const reader *r, sc3_role role, const candidate *c, identity *it) {
  if (role == r->raw)
    take_raw(w, r, c, it);
  else
    take_hashed(w, r, c, it);
}

/* Tries the values of one role, in order, until one can be used. */
static void try_role(const work *w, const reader *r, sc3_role role, identity *it) {
  const sc3_values *v = w->values;
  candidate c = {trim_value(v->role[role]), v->column[role]};
  size_t i;
  if (c.value.p != NULL)
    take(w, r, role, &c, it);
  for (i = 0; i < v->fallback_count && it->state == IDENTITY_NONE; i++) {
    if (v->fallbacks[i].role != role)
      continue;
    c.value = v->fallbacks[i].value;
    c.column = v->fallbacks[i].column;
    take(w, r, role, &c, it);
  }
}

/* The first value that can be used: of the raw role, then of the hashed one. */
static void identify(const work *w, const reader *r, identity *it) {
  it->state = IDENTITY_NONE;
  try_role(w, r, r->raw, it);
  if (it->state == IDENTITY_NONE)
    try_role(w, r, r->hashed, it);
}

static sc3_pii meant_by_one(sc3_slice value, sc3_role role, sc3_slice other) {
  if (role == SC3_ROLE_EMAIL && is_same(value, other))
    return SC3_PII_EMAIL;
  if (role == SC3_ROLE_PHONE && (is_same(value, other) || sc3_pii_is_same_number(value, other)))
    return SC3_PII_PHONE;
  return SC3_PII_NONE;
}

/* Whether a value is the email or the phone of its own member, as where one column is mapped twice.
 */
static sc3_pii meant_by(const sc3_values *v, sc3_slice value, sc3_pii named) {
  sc3_slice email = v->role[SC3_ROLE_EMAIL], phone = v->role[SC3_ROLE_PHONE];
  size_t i;
  if (named != SC3_PII_NONE || value.n < 5) /* a@b.c is the shortest */
    return named;
  if (is_same(value, email))
    return SC3_PII_EMAIL;
  if (is_same(value, phone) || (phone.n > 0 && sc3_pii_is_same_number(value, phone)))
    return SC3_PII_PHONE;
  for (i = 0; i < v->fallback_count && named == SC3_PII_NONE; i++)
    named = meant_by_one(value, v->fallbacks[i].role, v->fallbacks[i].value);
  for (i = 0; i < v->contact_count && named == SC3_PII_NONE; i++)
    named = meant_by_one(value, v->contacts[i].role, v->contacts[i].value);
  return named;
}

size_t sc3_member_suffix_length(sc3_slice id) {
  const size_t longest = sizeof(sc3_member_suffix), from = id.n > longest ? id.n - longest : 0;
  unsigned member;
  if (id.n == 0 || memchr(id.p + from, '#', id.n - from) == NULL)
    return 0;
  for (member = 2; member <= SC3_EACH_MAX; member++) {
    sc3_member_suffix suffix;
    const size_t n = sc3_member_suffix_write(member, &suffix);
    if (id.n >= n && memcmp(id.p + id.n - n, suffix.text, n) == 0)
      return n;
  }
  return 0;
}

static inline sc3_reason read_id(const work *w, const candidate *c, sc3_pii named,
                                 sc3_external_id_form *form) {
  const sc3_external_id id = {c->value, meant_by(w->values, c->value, named),
                              w->values->role[SC3_ROLE_REGION]};
  const sc3_reason why = sc3_external_id_read(&id, w->reading, form);
  /* Such an id would be taken for one of a further member. */
  if (w->values->member > 0 && why == SC3_R_NONE && sc3_member_suffix_length(form->value) > 0)
    return SC3_R_ID_NUMBERED;
  return why;
}

/* The first external id that can be used. Those before it are dropped; where there is none, the
 * first is to blame. */
static sc3_reason take_id(const work *w, sc3_external_id_form *form) {
  const sc3_values *v = w->values;
  sc3_outcome *o = w->outcome;
  candidate c = {v->role[SC3_ROLE_EXTERNAL_ID], v->column[SC3_ROLE_EXTERNAL_ID]};
  sc3_reason first, why;
  size_t i;
  o->at_column = c.column;
  if (v->id != NULL) {
    form->value = v->id->value;
    form->repairs = v->id->repairs;
    if (v->member < 2)
      o->repairs |= form->repairs;
    return SC3_R_NONE;
  }
  if (!sc3_slice_some(c.value))
    return SC3_R_NO_EXTERNAL_ID;
  first = why = read_id(w, &c, v->meant, form);
  for (i = 0; i < v->fallback_count && why != SC3_R_NONE; i++) {
    if (v->fallbacks[i].role != SC3_ROLE_EXTERNAL_ID)
      continue;
    if (v->member < 2) /* the id of a row is told of once */
      drop(o, SC3_ROLE_EXTERNAL_ID, c.column, why);
    c.column = v->fallbacks[i].column;
    c.value = v->fallbacks[i].value;
    why = read_id(w, &c, v->fallbacks_meant[i], form);
  }
  if (why != SC3_R_NONE) {
    o->dropped_count = 0; /* the row is refused for it, and that once */
    return first;
  }
  if (v->member < 2)
    o->repairs |= form->repairs;
  return SC3_R_NONE;
}

/* Leaves the hash to the caller, where it takes no more than a block. */
static void put_off(identity *it) {
  if (it->state == IDENTITY_NORMAL && it->normal.n <= SC3_SHA256_ONE_BLOCK) {
    it->state = IDENTITY_LATER;
    memset(it->hex, '0', sizeof it->hex);
  }
}

static void hash_identities(identity *email, identity *phone) {
  const sc3_sha256_message a = {email->normal.text, email->normal.n, email->hex},
                           b = {phone->normal.text, phone->normal.n, phone->hex};
  if (email->state == IDENTITY_NORMAL && phone->state == IDENTITY_NORMAL)
    sc3_sha256_hex_pair(&a, &b);
  else if (email->state == IDENTITY_NORMAL)
    sc3_sha256_hex(email->normal.text, email->normal.n, email->hex);
  else if (phone->state == IDENTITY_NORMAL)
    sc3_sha256_hex(phone->normal.text, phone->normal.n, phone->hex);
}

/* ,"hashedEmail":"…" or ,"hashedPhone":"…": as long as each other. */
enum { HASH_KEY = sizeof ",\"hashedEmail\":\"" - 1, HASH_MEMBER = HASH_KEY + SC3_SHA256_HEX + 1 };

/* Only after sc3_buffer_reserve(). */
static inline void put_hash(sc3_buffer *out, const char key[HASH_KEY], const identity *it) {
  sc3_buffer_put(out, key, HASH_KEY);
  sc3_buffer_put(out, it->hex, SC3_SHA256_HEX);
  SC3_PUT_LITERAL(out, "\"");
}

/* Notes that what put_hash() wrote last is to be hashed. As many bytes are copied for any text,
 * which costs less than to copy its own number. */
static void note_later(sc3_unhashed *later, const identity *it, size_t end) {
  if (it->state != IDENTITY_LATER)
    return;
  later->of[later->count].at = end - 1 - SC3_SHA256_HEX;
  later->of[later->count].n = it->normal.n;
  memcpy(later->of[later->count].text, it->normal.text, SC3_SHA256_ONE_BLOCK);
  later->count++;
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

/* Reads the uids that can be sent into `forms`, and drops the others. */
static void take_uids(const work *w, sc3_uid_form *forms) {
  const sc3_values *v = w->values;
  sc3_outcome *o = w->outcome;
  size_t i;
  for (i = 0; i < v->uid_count; i++) {
    sc3_uid_form *form = &forms[o->uids];
    sc3_uid uid = v->uids[i];
    sc3_reason why;
    uid.meant = meant_by(v, uid.value, uid.meant);
    why = sc3_uid_read(&uid, w->reading->repair, form);
    if (why == SC3_R_NONE && v->prepared) {
      form->type = uid.type; /* what was repaired once is not always without marks */
      form->value = uid.value;
      form->repairs = 0;
    }
    if (why == SC3_R_NONE) {
      o->uids++;
      o->repairs |= form->repairs;
    } else {
      drop(o, SC3_ROLE_UID, v->uids[i].column, why);
    }
  }
}

/* What is sent of a member. */
typedef struct identifiers {
  unsigned member;
  int prepared;
  sc3_external_id_form id;
  identity email, phone;
  sc3_uid_form uids[SC3_UIDS_MAX];
} identifiers;

/* Reads all that is sent of a member: SC3_R_NONE, else why it is rejected. */
static sc3_reason identify_member(const work *w, sc3_op op, int put_hashes_off, identifiers *ids) {
  static const reader emails = {SC3_ROLE_EMAIL, SC3_ROLE_HASHED_EMAIL, normalize_email},
                      phones = {SC3_ROLE_PHONE, SC3_ROLE_HASHED_PHONE, normalize_phone};
  sc3_outcome *o = w->outcome;
  sc3_reason why;
  o->at = SC3_ROLE_EXTERNAL_ID;
  why = take_id(w, &ids->id);
  if (why != SC3_R_NONE)
    return why;
  o->at = SC3_ROLE_NONE;
  if (op == SC3_REMOVE)
    return SC3_R_NONE;
  identify(w, &emails, &ids->email);
  identify(w, &phones, &ids->phone);
  if (put_hashes_off) {
    put_off(&ids->email);
    put_off(&ids->phone);
  }
  hash_identities(&ids->email, &ids->phone);
  o->emails = ids->email.state != IDENTITY_NONE;
  o->phones = ids->phone.state != IDENTITY_NONE;
  take_uids(w, ids->uids);
  return o->emails + o->phones + o->uids == 0 ? SC3_R_NO_IDENTIFIER : SC3_R_NONE;
}

/* Appends what a member begins with, up to its id. On a failure some of it may be there. */
static sc3_status put_id(sc3_buffer *out, sc3_slice id, size_t *id_length) {
  const size_t start = out->n;
  sc3_status st = sc3_buffer_append(out, "{\"externalId\":\"", SC3_MEMBER_ID_AT);
  if (st == SC3_OK)
    st = sc3_json_escape(out, id);
  *id_length = out->n - start - SC3_MEMBER_ID_AT;
  return st;
}

/* Appends the number that the id of a further member ends in. */
SC3_COLD
static sc3_status put_suffix(sc3_buffer *out, unsigned member, sc3_outcome *o) {
  sc3_member_suffix suffix;
  o->id_suffix = sc3_member_suffix_write(member, &suffix);
  o->id_length += o->id_suffix;
  return sc3_buffer_append(out, suffix.text, o->id_suffix);
}

static sc3_status put_member(sc3_buffer *out, const identifiers *ids, sc3_unhashed *later,
                             sc3_outcome *o) {
  const size_t start = out->n;
  sc3_status st = put_id(out, ids->id.value, &o->id_length);
  if (ids->member > 1 && st == SC3_OK)
    st = put_suffix(out, ids->member, o);
  if (ids->prepared)
    o->id_suffix = sc3_member_suffix_length(ids->id.value);
  if (st == SC3_OK)
    st = sc3_buffer_reserve(out, 2 * HASH_MEMBER + sizeof "\"},");
  if (st != SC3_OK)
    return st;
  SC3_PUT_LITERAL(out, "\"");
  if (o->emails > 0) {
    put_hash(out, ",\"hashedEmail\":\"", &ids->email);
    note_later(later, &ids->email, out->n - start);
  }
  if (o->phones > 0) {
    put_hash(out, ",\"hashedPhone\":\"", &ids->phone);
    note_later(later, &ids->phone, out->n - start);
  }
  if (o->uids > 0)
    st = put_uids(out, ids->uids, o->uids);
  return st == SC3_OK ? sc3_buffer_append(out, "},", 2) : st;
}

size_t sc3_member_suffix_write(unsigned member, sc3_member_suffix *out) {
  size_t n = 0;
  if (member < 2)
    return 0;
  out->text[n++] = '#';
  if (member >= 10)
    out->text[n++] = (char)('0' + member / 10);
  out->text[n++] = (char)('0' + member % 10);
  return n;
}

sc3_reason sc3_member_read_id(const sc3_values *values, sc3_reading *reading, sc3_outcome *outcome,
                              sc3_external_id_form *form) {
  const work w = {values, reading, outcome};
  outcome->dropped_count = 0;
  outcome->repairs = 0;
  return take_id(&w, form);
}

sc3_status sc3_member_write(sc3_buffer *out, sc3_op op, const sc3_values *values,
                            sc3_reading *reading, sc3_unhashed *later, sc3_outcome *outcome) {
  const work w = {values, reading, outcome};
  const size_t start = out->n;
  identifiers ids;
  sc3_status st;
  outcome->at_column = 0;
  outcome->dropped_count = 0;
  outcome->emails = outcome->phones = outcome->uids = outcome->prehashed = 0;
  outcome->came_raw = outcome->came_hashed = 0;
  outcome->repairs = 0;
  outcome->id_length = outcome->id_suffix = 0;
  ids.member = values->member;
  ids.prepared = values->prepared;
  if (later != NULL)
    later->count = 0;
  outcome->rejected = identify_member(&w, op, later != NULL, &ids);
  if (outcome->rejected != SC3_R_NONE)
    return SC3_OK;
  st = put_member(out, &ids, later, outcome);
  if (st != SC3_OK)
    out->n = start;
  return st;
}

sc3_member_hashes sc3_member_hashes_of(const char *json, const sc3_outcome *outcome) {
  sc3_member_hashes hashes = {NULL, NULL};
  json += SC3_MEMBER_ID_AT + outcome->id_length + 1 + HASH_KEY;
  if (outcome->emails > 0)
    hashes.email = json;
  if (outcome->phones > 0)
    hashes.phone = outcome->emails > 0 ? json + HASH_MEMBER : json;
  return hashes;
}

SC3_COLD
sc3_status sc3_member_write_removal(sc3_buffer *out, sc3_slice id, size_t *id_length) {
  const size_t start = out->n;
  sc3_status st = put_id(out, id, id_length);
  if (st == SC3_OK)
    st = sc3_buffer_append(out, "\"},", 3);
  if (st != SC3_OK)
    out->n = start;
  return st;
}
