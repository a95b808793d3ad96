/* The characters of a phone's text, and the extensions among them. */
#ifndef SC3_PHONE_EXTENSION_H
#define SC3_PHONE_EXTENSION_H

#include <stddef.h>
#include <stdint.h>

#include "phone_plan.h"

/* Room for a phone-context before a text, and never more characters than libphonenumber looks at.
 */
typedef struct sc3_phone_chars {
  uint32_t at[SC3_DIGITS_MAX];
  size_t n;
} sc3_phone_chars;

/* Whether an extension begins at `from` and takes the rest of the text: the six forms that
 * libphonenumber knows. */
int sc3_phone_is_extension(const sc3_phone_chars *s, size_t from);

#endif
