#include "phone.h"

#include "../bytes/ascii.h"
#include "digit.h"
#include "phone_repair.h"
#include "placeholder.h"
#include "../bytes/text.h"
#include "../bytes/utf8.h"

/* Whether two numbers stand there, with what people put between them. It names the fault of a text
 * that is refused anyway: nothing is read by it. */
static int is_several(sc3_slice s) {
  enum { ENOUGH = 7 };
  size_t numbers = 0, digits = 0;
  if (s.n <= 2 * ENOUGH)
    return 0;
  while (s.n > 0) {
    uint32_t c;
    size_t used = sc3_utf8_decode(s.p, s.n, &c);
    if (c == ',' || c == ';' || c == '/' || c == '|' || c == '&' || c == '+' || c == '\n' ||
        sc3_ascii_begins(s, " or ") || sc3_ascii_begins(s, " and ")) {
      numbers += digits >= ENOUGH;
      digits = 0;
    } else {
      digits += sc3_digit_value(c) >= 0;
    }
    s.p += used;
    s.n -= used;
  }
  return numbers + (digits >= ENOUGH) > 1;
}

static void write_e164(const sc3_phone_number *number, sc3_phone *phone) {
  char reversed[4];
  size_t n = 0;
  unsigned code;
  for (code = number->calling_code; code > 0; code /= 10)
    reversed[n++] = (char)('0' + code % 10);
  phone->n = 0;
  phone->text[phone->n++] = '+';
  while (n > 0)
    phone->text[phone->n++] = reversed[--n];
  memcpy(phone->text + phone->n, number->national, number->n);
  phone->n += number->n;
}

/* Any text, as it comes. */
static sc3_reason read_any(sc3_slice raw, int region, sc3_repairs allowed, sc3_phone_reading *out) {
  sc3_slice s;
  sc3_reason why;
  if (!sc3_utf8_valid(raw.p, raw.n))
    return SC3_R_PHONE_UTF8;
  s = sc3_text_trim(raw);
  if (sc3_is_placeholder(s))
    return SC3_R_PHONE_PLACEHOLDER;
  if (sc3_text_is_exponent(s))
    return SC3_R_PHONE_SPREADSHEET;
  if (allowed != 0)
    return sc3_phone_repair(raw, region, allowed, out);
  why = sc3_phone_read(raw, &out->text);
  return why == SC3_R_NONE ? sc3_phone_parse(&out->text, region, &out->number) : why;
}

sc3_reason sc3_phone_normalize(sc3_slice raw, int region, sc3_repairs allowed, sc3_phone *phone) {
  sc3_phone_reading it;
  sc3_reason why;
  it.repairs = 0;
  if (allowed == 0 && sc3_phone_read_plain(raw, &it.text))
    why = sc3_phone_parse(&it.text, region, &it.number);
  else
    why = read_any(raw, region, allowed, &it);
  phone->repairs = it.repairs;
  if (why == SC3_R_PHONE_NATIONAL && region == SC3_REGION_NO_PLAN)
    why = SC3_R_PHONE_NO_PLAN;
  if ((why == SC3_R_PHONE_INVALID || why == SC3_R_PHONE_TOO_LONG || why == SC3_R_PHONE_CHARACTER) &&
      is_several(raw))
    why = SC3_R_PHONE_SEVERAL;
  if (why != SC3_R_NONE)
    return why;
  phone->steps = it.text.steps;
  write_e164(&it.number, phone);
  return SC3_R_NONE;
}
