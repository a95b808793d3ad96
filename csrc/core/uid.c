#include "uid.h"

#include "utf8.h"

sc3_reason sc3_uid_check(const sc3_uid *uid) {
  static const char not_a_type[] = "external_id";
  if (!sc3_slice_some(uid->type) || sc3_slice_eq(uid->type, sc3_slice_of(not_a_type, sizeof not_a_type - 1)))
    return SC3_R_UID_TYPE;
  if (!sc3_slice_some(uid->value))
    return SC3_R_UID_VALUE;
  if (!sc3_utf8_valid(uid->type.p, uid->type.n) || !sc3_utf8_valid(uid->value.p, uid->value.n))
    return SC3_R_UID_UTF8;
  return SC3_R_NONE;
}
