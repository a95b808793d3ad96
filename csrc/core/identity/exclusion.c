#include "exclusion.h"

#include "../bytes/text.h"
#include "email.h"
#include "hashed.h"
#include "phone.h"

static sc3_reason read_id(sc3_slice text, sc3_reading *reading, sc3_exclusion *out) {
  const sc3_external_id id = {text, SC3_PII_NONE, {NULL, 0}};
  const sc3_reason why = sc3_external_id_read(&id, reading, &out->id);
  out->has_id = why == SC3_R_NONE;
  return why;
}

static sc3_reason read_email(sc3_slice text, const sc3_reading *reading, sc3_exclusion *out) {
  sc3_email email;
  sc3_reason why = sc3_email_normalize(text, reading->repair, &email);
  if (why == SC3_R_NONE && (email.repairs >> SC3_REPAIR_EMAIL_FIRST & 1) != 0)
    why = SC3_R_EMAIL_SEVERAL; /* the others would be sent */
  if (why != SC3_R_NONE)
    return why;
  sc3_sha256_hex(email.text, email.n, out->hex);
  out->kind = SC3_EXCLUDES_EMAIL;
  out->has_contact = 1;
  return SC3_R_NONE;
}

static sc3_reason read_phone(sc3_slice text, const sc3_reading *reading, sc3_exclusion *out) {
  sc3_phone phone;
  const sc3_reason why = sc3_phone_normalize(
      text, reading->region, reading->phone_repairs & ~(1u << SC3_REPAIR_PHONE_FIRST), &phone);
  if (why != SC3_R_NONE)
    return why;
  sc3_sha256_hex(phone.text, phone.n, out->hex);
  out->kind = SC3_EXCLUDES_PHONE;
  out->has_contact = 1;
  return SC3_R_NONE;
}

/* Whether it is the SHA-256 of something. Other hashes may well be ids. */
static int is_hash(sc3_slice text, sc3_exclusion *out) {
  sc3_repairs none = 0;
  sc3_reason why;
  return sc3_hashed_is_possible(text.n) &&
         sc3_hashed_recognize(text, out->hex, &why, &none) == SC3_HASHED_SHA256;
}

/* Hex digits that are the hash of somebody are an id without a closer look: as read_id() finds. */
static void take_hash(sc3_slice text, const sc3_reading *reading, sc3_exclusion *out) {
  out->has_id = 1;
  out->id.value = reading->ids == SC3_IDS_HASH ? sc3_slice_of(out->hex, SC3_SHA256_HEX) : text;
}

/* What is neither an email nor a phone by its first look. */
static sc3_reason read_other(sc3_slice text, sc3_reading *reading, sc3_exclusion *out) {
  const sc3_reason why = read_id(text, reading, out);
  if (why == SC3_R_ID_PHONE)
    return read_phone(text, reading, out);
  if (why == SC3_R_NONE && (out->id.repairs >> SC3_REPAIR_ID_HASHED & 1) != 0) {
    out->kind = SC3_EXCLUDES_PHONE;
    out->has_contact = 1;
    memcpy(out->hex, out->id.hex, sizeof out->hex);
  }
  return why;
}

sc3_reason sc3_exclusion_read(sc3_slice raw, sc3_reading *reading, sc3_exclusion *out) {
  const sc3_slice text = sc3_text_trim(raw);
  sc3_reason why;
  out->kind = SC3_EXCLUDES_ID;
  out->has_id = out->has_contact = 0;
  if (is_hash(text, out)) {
    out->kind = SC3_EXCLUDES_HASH;
    out->has_contact = 1;
    if (text.n == SC3_SHA256_HEX)
      take_hash(text, reading, out);
    else
      (void)read_id(text, reading, out);
    return SC3_R_NONE;
  }
  if (memchr(text.p, '@', text.n) != NULL)
    why = read_email(text, reading, out);
  else if (*text.p == '+')
    why = read_phone(text, reading, out);
  else
    return read_other(text, reading, out);
  if (why == SC3_R_NONE)
    (void)read_id(text, reading, out);
  return why;
}
