#include "exclusions.h"

#include <stdlib.h>

#include "../bytes/json.h"
#include "fingerprint.h"
#include "id_set.h"

enum { LONGEST = 1 << 21 }; /* of an id as JSON: no row is longer than 1 MiB */

struct sc3_exclusions {
  size_t uses, most;
  sc3_id_set *ids;      /* of their JSON, which is what members are compared by */
  sc3_id_set *contacts; /* of 64 hex digits */
  sc3_buffer json;
};

sc3_exclusions *sc3_exclusions_new(size_t most) {
  sc3_exclusions *e = calloc(1, sizeof *e);
  if (e == NULL)
    return NULL;
  e->uses = 1;
  e->most = most;
  sc3_buffer_init(&e->json, LONGEST);
  e->ids = sc3_id_set_new();
  e->contacts = sc3_id_set_new();
  if (e->ids != NULL && e->contacts != NULL)
    return e;
  sc3_exclusions_release(e);
  return NULL;
}

void sc3_exclusions_hold(sc3_exclusions *e) {
  if (e != NULL)
    e->uses++;
}

void sc3_exclusions_release(sc3_exclusions *e) {
  if (e == NULL || --e->uses > 0)
    return;
  sc3_id_set_free(e->ids);
  sc3_id_set_free(e->contacts);
  sc3_buffer_free(&e->json);
  free(e);
}

static sc3_status add(const sc3_exclusions *e, sc3_id_set *to, sc3_slice text) {
  return sc3_id_set_count(to) < e->most ? sc3_id_set_insert(to, sc3_fingerprint(text)) : SC3_ELIMIT;
}

sc3_status sc3_exclusions_add_id(sc3_exclusions *e, sc3_slice id) {
  sc3_status st;
  e->json.n = 0;
  st = sc3_json_escape(&e->json, id);
  return st == SC3_OK ? add(e, e->ids, sc3_slice_of(e->json.p, e->json.n)) : st;
}

sc3_status sc3_exclusions_add_contact(sc3_exclusions *e, const char hex[SC3_SHA256_HEX]) {
  return add(e, e->contacts, sc3_slice_of(hex, SC3_SHA256_HEX));
}

int sc3_exclusions_has_contacts(const sc3_exclusions *e) {
  return sc3_id_set_count(e->contacts) > 0;
}

static int has(const sc3_id_set *set, const char *text, size_t n) {
  return text != NULL && sc3_id_set_contains(set, sc3_fingerprint(sc3_slice_of(text, n)));
}

int sc3_exclusions_match(const sc3_exclusions *e, const char *json, const sc3_outcome *outcome) {
  const sc3_member_hashes hashes = sc3_member_hashes_of(json, outcome);
  return (sc3_id_set_count(e->ids) > 0 &&
          has(e->ids, json + SC3_MEMBER_ID_AT, outcome->id_length - outcome->id_suffix)) ||
         has(e->contacts, hashes.email, SC3_SHA256_HEX) ||
         has(e->contacts, hashes.phone, SC3_SHA256_HEX);
}
