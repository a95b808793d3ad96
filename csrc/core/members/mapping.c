#include "mapping.h"

#include "../bytes/ascii.h"
#include "../bytes/text.h"

static inline const sc3_field *field_of(const sc3_record *r, size_t column, size_t key,
                                        sc3_slice name) {
  if (column > 0)
    return column <= r->count ? &r->fields[column - 1] : NULL;
  return r->found != NULL ? r->found[key] : sc3_record_find(r, name);
}

/* The number of a name among those that are looked at. */
static size_t name_number(sc3_mapping *m, size_t column, sc3_slice name) {
  size_t i;
  if (column > 0)
    return 0;
  for (i = 0; i < m->name_count; i++) {
    if (sc3_slice_eq(m->names[i], name))
      return i;
  }
  m->names[m->name_count++] = name;
  return i;
}

sc3_keys sc3_mapping_keys(sc3_mapping *m) {
  sc3_keys keys;
  size_t i;
  m->name_count = 0;
  for (i = 0; i < m->target_count; i++)
    m->targets[i].key = name_number(m, m->targets[i].column, m->targets[i].name);
  for (i = 0; i < m->condition_count; i++)
    m->conditions[i].key = name_number(m, m->conditions[i].column, m->conditions[i].name);
  keys.names = m->names;
  keys.count = m->name_count;
  keys.all = 0;
  keys.exact = 0;
  keys.seen = m->seen;
  return keys;
}

size_t sc3_mapping_column_of(const sc3_mapping *m, sc3_role role) {
  size_t i;
  for (i = 0; i < m->target_count; i++) {
    if (m->targets[i].role == role)
      return m->targets[i].column;
  }
  return 0;
}

sc3_role sc3_mapping_role_of(const sc3_mapping *m, size_t key) {
  size_t i;
  for (i = 0; i < m->target_count; i++) {
    const sc3_target *t = &m->targets[i];
    if ((t->column > 0 ? t->column - 1 : t->key) == key)
      return t->role;
  }
  return SC3_ROLE_NONE;
}

void sc3_mapping_check(const sc3_mapping *m, sc3_record *r) {
  const size_t had = r->count - r->missing;
  size_t i;
  for (i = 0; r->missing > 0 && i < m->condition_count; i++) {
    if (m->conditions[i].column > had) {
      r->fault = SC3_R_RAGGED_ROW;
      r->fault_column = had + 1;
      return;
    }
  }
}

static int is_met(sc3_mapping *m, const sc3_record *r, size_t i) {
  const sc3_condition *c = &m->conditions[i];
  return sc3_condition_holds(c, field_of(r, c->column, c->key, c->name), &m->tallies[i]);
}

int sc3_mapping_wants(sc3_mapping *m, const sc3_record *r) {
  size_t i;
  for (i = 0; i < m->own_count && r->fault == SC3_R_NONE; i++) {
    if (!is_met(m, r, i))
      return 0;
  }
  return 1;
}

uint32_t sc3_mapping_audiences(sc3_mapping *m, const sc3_record *r, uint32_t mask) {
  size_t i;
  for (i = m->own_count; i < m->condition_count; i++) {
    const uint32_t bit = UINT32_C(1) << m->audiences[i];
    if ((mask & bit) != 0 && !is_met(m, r, i))
      mask &= ~bit;
  }
  return mask;
}

/* --- values --- */

/* A JSON number whose text is an integer is an id or a phone as it stands; 1e3 would be a guess.
   Both may have the .0 of a program that writes every number with a fraction:
   sc3_external_id_read() removes that of an id, and whole_part() that of a phone. */
static int is_integer_text(sc3_slice s, sc3_role role) {
  size_t i;
  for (i = 0; i < s.n; i++) {
    if ((role == SC3_ROLE_EXTERNAL_ID || role == SC3_ROLE_PHONE) && s.p[i] == '.') {
      while (++i < s.n && s.p[i] == '0')
        continue;
      return i == s.n;
    }
    if (!(sc3_ascii_is_digit(s.p[i]) || (i == 0 && s.p[i] == '-')))
      return 0;
  }
  return s.n > 0;
}

/* A number without its fraction, which in a text would be read as digits of a phone. */
static sc3_slice whole_part(sc3_slice s) {
  const char *dot = memchr(s.p, '.', s.n);
  return dot != NULL ? sc3_slice_of(s.p, (size_t)(dot - s.p)) : s;
}

/* An array of emails or phones: their readers take it for a list, as other programs write it. A
 * table of Lua has no text. */
static int is_list(const sc3_field *f, sc3_role role) {
  return f->kind == SC3_KIND_NESTED && (role == SC3_ROLE_EMAIL || role == SC3_ROLE_PHONE) &&
         f->value.n > 0 && *f->value.p == '[' && memchr(f->value.p, '{', f->value.n) == NULL;
}

static void refuse(sc3_mapped *out, sc3_role role, sc3_reason reason, size_t column) {
  sc3_mapping_rejection *r = &out->refused[out->refused_count++];
  r->role = role;
  r->reason = reason;
  r->column = column;
}

static void put_uid(sc3_uid *uid, const sc3_target *t, sc3_slice value) {
  uid->type = t->uid_type;
  uid->value = value;
  uid->meant = t->meant;
  uid->column = (unsigned)t->column;
}

/* Takes a universal id of a column. A type may have several columns: the first id that can be used
 * counts. */
static void take_uid(const sc3_target *t, sc3_slice value, int repair, sc3_mapped *out) {
  sc3_values *v = &out->values;
  size_t i;
  for (i = 0; t->fallback && i < v->uid_count; i++) {
    sc3_uid_form form;
    sc3_reason why;
    if (!sc3_slice_eq(v->uids[i].type, t->uid_type))
      continue;
    why = sc3_uid_read(&v->uids[i], repair, &form);
    if (why == SC3_R_NONE)
      return;
    refuse(out, SC3_ROLE_UID, why, v->uids[i].column);
    put_uid(&v->uids[i], t, value);
    return;
  }
  if (v->uid_count == SC3_UIDS_MAX)
    refuse(out, SC3_ROLE_UID, SC3_R_UID_TOO_MANY, t->column);
  else
    put_uid(&v->uids[v->uid_count++], t, value);
}

/* Puts the value of a column to its role, or after the values that the role has already. */
static inline void take_value(const sc3_target *t, sc3_slice value, sc3_values *v) {
  if (!t->fallback || v->role[t->role].p == NULL) {
    v->role[t->role] = value;
    v->column[t->role] = t->fallback ? (uint32_t)t->column : 0;
    if (t->role == SC3_ROLE_EXTERNAL_ID)
      v->meant = t->meant;
  } else if (t->role != SC3_ROLE_REGION && v->fallback_count < SC3_FALLBACKS_MAX) {
    v->fallbacks[v->fallback_count].role = t->role;
    v->fallbacks[v->fallback_count].column = (uint32_t)t->column;
    v->fallbacks[v->fallback_count].value = value;
    v->fallbacks_meant[v->fallback_count] = t->meant;
    v->fallback_count++;
  }
}

/* Also of a list of empty texts. */
static int is_empty_list(sc3_slice s) {
  size_t i;
  for (i = 1; i + 1 < s.n; i++) {
    if (s.p[i] == '\0' || strchr("\", \t\r\n", s.p[i]) == NULL)
      return 0;
  }
  return 1;
}

/* Whether a role can be read from a field of this kind. */
static int is_readable(const sc3_field *f, sc3_role role) {
  return f->kind == SC3_KIND_TEXT || is_list(f, role) ||
         (f->kind == SC3_KIND_NUMBER && is_integer_text(f->value, role));
}

/* Most texts begin with a character of ASCII that shows. */
static inline int is_blank(sc3_slice s) {
  return s.n == 0 || ((signed char)*s.p <= 0x20 && sc3_text_trim(s).n == 0);
}

static void take_field(const sc3_target *t, const sc3_field *f, int repair, sc3_mapped *out) {
  sc3_slice trimmed;
  if (!is_readable(f, t->role)) {
    refuse(out, t->role, t->role == SC3_ROLE_EXTERNAL_ID ? SC3_R_EXTERNAL_ID_TYPE : SC3_R_NOT_TEXT,
           t->column);
    return;
  }
  trimmed = sc3_text_trim(f->value);
  if (trimmed.n == 0 || (f->kind == SC3_KIND_NESTED && is_empty_list(f->value)))
    return;
  if (t->role == SC3_ROLE_UID)
    take_uid(t, trimmed, repair, out);
  else if (t->role == SC3_ROLE_PHONE && f->kind == SC3_KIND_NUMBER)
    take_value(t, whole_part(f->value), &out->values);
  else
    take_value(t, f->value, &out->values);
}

SC3_INLINE void read_targets(const sc3_mapping *m, size_t i, size_t end, const sc3_record *r,
                             int repair, sc3_mapped *out) {
  for (; i < end; i++) {
    const sc3_target *t = &m->targets[i];
    const sc3_field *f = field_of(r, t->column, t->key, t->name);
    if (f == NULL || f->kind == SC3_KIND_NULL)
      continue;
    if (f->kind != SC3_KIND_TEXT || t->role == SC3_ROLE_UID)
      take_field(t, f, repair, out);
    else if (!is_blank(f->value)) /* as take_field() would */
      take_value(t, f->value, &out->values);
  }
}

/* Notes the emails and phones of all members. */
SC3_COLD
static void read_contacts(const sc3_mapping *m, const sc3_record *r, sc3_mapped *out) {
  size_t i, n = 0;
  for (i = 0; i < m->target_count; i++) {
    const sc3_target *t = &m->targets[i];
    const sc3_field *f = field_of(r, t->column, t->key, t->name);
    if (f == NULL || (t->role != SC3_ROLE_EMAIL && t->role != SC3_ROLE_PHONE) ||
        (f->kind != SC3_KIND_TEXT && f->kind != SC3_KIND_NUMBER) || is_blank(f->value))
      continue;
    out->contacts[n].role = t->role;
    out->contacts[n++].value = f->value;
  }
  out->values.contacts = out->contacts;
  out->values.contact_count = n;
}

void sc3_mapping_read(const sc3_mapping *m, const sc3_record *r, int repair, sc3_mapped *out) {
  read_targets(m, 0, m->ends[0], r, repair, out);
  if (m->member_count > 1) {
    out->values.member = 1;
    read_contacts(m, r, out);
  }
}

static void share_role(const sc3_values *first, sc3_role role, sc3_values *v) {
  v->role[role] = first->role[role];
  v->column[role] = first->column[role];
}

/* Gives a further member the id and the region of the first one. What can be used of an id does not
   depend on the member: all have the same contacts. */
static void share(const sc3_values *first, sc3_values *v) {
  size_t i;
  share_role(first, SC3_ROLE_EXTERNAL_ID, v);
  share_role(first, SC3_ROLE_REGION, v);
  v->meant = first->meant;
  v->id = first->id;
  v->contacts = first->contacts;
  v->contact_count = first->contact_count;
  for (i = 0; i < first->fallback_count; i++) {
    if (first->fallbacks[i].role != SC3_ROLE_EXTERNAL_ID)
      continue;
    v->fallbacks[v->fallback_count] = first->fallbacks[i];
    v->fallbacks_meant[v->fallback_count++] = first->fallbacks_meant[i];
  }
}

static int has_own(const sc3_values *v) {
  return v->role[SC3_ROLE_EMAIL].p != NULL || v->role[SC3_ROLE_PHONE].p != NULL ||
         v->role[SC3_ROLE_HASHED_EMAIL].p != NULL || v->role[SC3_ROLE_HASHED_PHONE].p != NULL;
}

static int is_same_text(sc3_slice a, sc3_slice b) {
  size_t i;
  for (i = 0; i < a.n && i < b.n && sc3_ascii_to_lower(a.p[i]) == sc3_ascii_to_lower(b.p[i]); i++)
    ;
  return i == a.n && i == b.n;
}

/* Whether an earlier member has the same text in the same role: exports name one address of a
   person in several columns, and the service would count it as often. */
static int is_repeated(const sc3_mapping *m, const sc3_record *r, size_t at) {
  const sc3_target *t = &m->targets[at];
  const sc3_field *f = field_of(r, t->column, t->key, t->name);
  const sc3_slice text = f != NULL ? sc3_text_trim(f->value) : sc3_slice_of(NULL, 0);
  size_t i;
  for (i = 0; text.n > 0 && i < at; i++) {
    const sc3_target *before = &m->targets[i];
    if (before->role != t->role)
      continue;
    f = field_of(r, before->column, before->key, before->name);
    if (f != NULL && is_same_text(sc3_text_trim(f->value), text))
      return 1;
  }
  return 0;
}

SC3_COLD
int sc3_mapping_read_further(const sc3_mapping *m, const sc3_record *r, const sc3_mapped *first,
                             unsigned member, sc3_mapped *out) {
  size_t i;
  sc3_mapped_clear(out);
  share(&first->values, &out->values);
  out->values.member = member;
  for (i = m->ends[member - 2]; i < m->ends[member - 1]; i++) {
    if (!is_repeated(m, r, i))
      read_targets(m, i, i + 1, r, 0, out); /* no uid */
  }
  return has_own(&out->values);
}

int sc3_mapped_has_identifiers(const sc3_mapped *m) {
  return has_own(&m->values) || m->values.uid_count > 0;
}
