#include "prepared.h"

#include "../bytes/json_read.h"
#include "../bytes/json_scan.h"
#include "../bytes/text.h"

/* The keys of a member on the wire. */
static const struct key {
  const char *name;
  sc3_kind kind;
} KEYS[] = {{"externalId", SC3_KIND_TEXT},
            {"hashedEmail", SC3_KIND_TEXT},
            {"hashedPhone", SC3_KIND_TEXT},
            {"uids", SC3_KIND_NESTED}};

enum { KEY_COUNT = sizeof KEYS / sizeof KEYS[0] };

/* A text that is blank would count as one that is not there. */
static int is_of_kind(const sc3_field *f, sc3_kind kind) {
  return f->kind == kind && (kind != SC3_KIND_TEXT || sc3_text_trim(f->value).n > 0);
}

/* The number of a key; KEY_COUNT where it is another one. */
static size_t key_of(sc3_slice name) {
  size_t i = 0;
  while (i < KEY_COUNT && !sc3_slice_eq(name, sc3_slice_of(KEYS[i].name, strlen(KEYS[i].name))))
    i++;
  return i;
}

void sc3_prepared_check(sc3_record *r) {
  unsigned seen = 0;
  size_t i;
  for (i = 0; i < r->count; i++) {
    const size_t key = key_of(r->fields[i].name);
    if (key == KEY_COUNT || (seen >> key & 1) != 0 || !is_of_kind(&r->fields[i], KEYS[key].kind)) {
      r->fault = SC3_R_NOT_PREPARED;
      r->fault_column = i + 1;
      return;
    }
    seen |= 1u << key;
  }
  if ((seen & 1) == 0)
    r->fault = SC3_R_NO_EXTERNAL_ID;
}

static void refuse(sc3_mapped *out, sc3_reason reason) {
  out->refused[0].role = SC3_ROLE_EXTERNAL_ID; /* which rejects the member */
  out->refused[0].reason = reason;
  out->refused[0].column = 0;
  out->refused_count = 1;
}

/* The text of a string with its quotes. */
static sc3_slice text_of(sc3_slice quoted, sc3_buffer *texts) {
  sc3_slice text = sc3_slice_of(quoted.p + 1, quoted.n - 2);
  char *copy;
  if (memchr(text.p, '\\', text.n) == NULL)
    return text;
  copy = texts->p + texts->n; /* there is room for all of the row */
  sc3_buffer_put(texts, quoted.p, quoted.n);
  return sc3_json_unescape(copy, copy + quoted.n);
}

/* A member of the list: {"type": …, "value": …}. 0 where it is something else. */
static int read_uid(sc3_json_reader *json, sc3_buffer *texts, sc3_uid *uid) {
  sc3_slice name, value;
  memset(uid, 0, sizeof *uid);
  while (sc3_json_read(json, &name) == SC3_JSON_EVENT_NAME) {
    sc3_slice *to = sc3_slice_eq(name, SC3_LITERAL("\"type\""))    ? &uid->type
                    : sc3_slice_eq(name, SC3_LITERAL("\"value\"")) ? &uid->value
                                                                   : NULL;
    if (to == NULL || to->p != NULL || sc3_json_read(json, &value) != SC3_JSON_EVENT_STRING)
      return 0;
    *to = text_of(value, texts);
  }
  return uid->type.p != NULL && uid->value.p != NULL;
}

/* The list of universal ids. Also SC3_R_UID_TOO_MANY. */
static sc3_reason read_uids(sc3_slice list, sc3_buffer *texts, sc3_values *v) {
  sc3_json_reader json;
  sc3_json_event event;
  sc3_slice text;
  sc3_json_read_begin(&json, list);
  if (sc3_json_read(&json, &text) != SC3_JSON_EVENT_ARRAY)
    return SC3_R_NOT_PREPARED;
  while ((event = sc3_json_read(&json, &text)) == SC3_JSON_EVENT_OBJECT) {
    if (v->uid_count == SC3_UIDS_MAX)
      return SC3_R_UID_TOO_MANY;
    if (!read_uid(&json, texts, &v->uids[v->uid_count++]))
      return SC3_R_NOT_PREPARED;
  }
  return event == SC3_JSON_EVENT_CLOSE ? SC3_R_NONE : SC3_R_NOT_PREPARED;
}

/* The id without the number of its member, which makes a phone of no id. */
static sc3_reason check_id(sc3_slice id, sc3_ids ids) {
  const size_t suffix = sc3_member_suffix_length(id);
  if (suffix < id.n)
    id.n -= suffix;
  return sc3_external_id_check(id, ids);
}

sc3_status sc3_prepared_read(const sc3_mapping *m, const sc3_record *r, sc3_ids ids,
                             sc3_buffer *texts, sc3_mapped *out) {
  sc3_values *v = &out->values;
  sc3_reason why = SC3_R_NONE;
  sc3_slice uids = {NULL, 0};
  size_t i;
  for (i = 0; i < m->target_count; i++) {
    const sc3_target *t = &m->targets[i];
    const sc3_field *f = r->found != NULL ? r->found[t->key] : sc3_record_find(r, t->name);
    if (f == NULL || f->kind == SC3_KIND_NULL)
      continue;
    if (t->role == SC3_ROLE_UID)
      uids = f->value;
    else
      v->role[t->role] = f->value;
  }
  texts->n = 0;
  if (uids.p != NULL) {
    const sc3_status st = sc3_buffer_reserve(texts, uids.n);
    if (st != SC3_OK)
      return st;
    why = read_uids(uids, texts, v);
  }
  if (why == SC3_R_NONE)
    why = check_id(v->role[SC3_ROLE_EXTERNAL_ID], ids);
  out->prepared_id.value = v->role[SC3_ROLE_EXTERNAL_ID];
  out->prepared_id.repairs = 0;
  v->id = &out->prepared_id;
  v->prepared = 1;
  if (why != SC3_R_NONE)
    refuse(out, why);
  return SC3_OK;
}
