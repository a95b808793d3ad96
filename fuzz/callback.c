/* libFuzzer's target for what strangers may send to a callback's address: JSON bodies and base64.
 * Beside the sanitizers it checks what must hold for any input:
 *   - a text keeps its verdict when it becomes a value of another object, and has one duplicate
 * more when that value's name is there again;
 *   - duplicate names are told as printable ASCII, at most 32 bytes;
 *   - what the judge holds for JSON the reader of replies reads to its end, and not deeper than it
 * may;
 *   - a number is written as text that is read as the same number;
 *   - base64 that is read is what its bytes are written as, in one of the alphabets.
 *
 *   make fuzz FUZZ_SECONDS=60 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../csrc/core/bytes/base64.h"
#include "../csrc/core/bytes/hmac.h"
#include "../csrc/core/bytes/amount.h"
#include "../csrc/core/bytes/json_check.h"
#include "../csrc/core/bytes/json_read.h"
#include "../csrc/core/bytes/number.h"
#include "../csrc/core/identity/boolean_words.h"

static void must(int holds) {
  if (!holds)
    abort();
}

static void check_names(const sc3_json_duplicates *found) {
  size_t i, k;
  for (i = 0; i < found->count && i < SC3_JSON_NAMES; i++) {
    must(found->names[i].n <= SC3_JSON_NAME_BYTES);
    for (k = 0; k < found->names[i].n; k++)
      must(found->names[i].text[k] >= 0x20 && found->names[i].text[k] < 0x7f);
  }
}

/* The text with something before and after it, judged. */
static sc3_json_verdict judge_within(const char *before, sc3_slice text, const char *behind,
                                     sc3_json_duplicates *found) {
  size_t b = strlen(before), e = strlen(behind);
  char *whole = malloc(b + text.n + e);
  sc3_json_verdict verdict = SC3_JSON_NOMEM;
  if (whole != NULL) {
    memcpy(whole, before, b);
    memcpy(whole + b, text.p, text.n);
    memcpy(whole + b + text.n, behind, e);
    verdict = sc3_json_check_object(sc3_slice_of(whole, b + text.n + e), found);
  }
  free(whole);
  return verdict;
}

static void check_json(sc3_slice text) {
  sc3_json_duplicates found, again;
  sc3_json_verdict verdict = sc3_json_check_object(text, &found), within;
  must(verdict != SC3_JSON_DUPLICATES || found.count > 0);
  must(verdict != SC3_JSON_FINE || found.count == 0);
  check_names(&found);
  within = judge_within("{\"a\":", text, "}", &again);
  if (verdict == SC3_JSON_FINE ||
      verdict == SC3_JSON_DUPLICATES) { /* one level more may be too many */
    must((within == verdict && again.count == found.count) || within == SC3_JSON_MALFORMED);
    within = judge_within("{\"a\":", text, ",\"\\u0061\":0}", &again);
    must((within == SC3_JSON_DUPLICATES && again.count == found.count + 1) ||
         within == SC3_JSON_MALFORMED);
  }
}

/* Reads to the end, or to where the text is no JSON: the last event. */
static sc3_json_event read_json(sc3_slice text) {
  sc3_json_reader reader;
  sc3_slice token;
  sc3_json_event event;
  size_t events = 0;
  sc3_json_read_begin(&reader, text);
  do {
    event = sc3_json_read(&reader, &token);
    must(reader.depth >= 0 && reader.depth <= SC3_JSON_READ_DEPTH && ++events <= text.n + 2);
    must(token.p == NULL || (token.p >= text.p && token.p + token.n <= text.p + text.n));
  } while (event != SC3_JSON_EVENT_BAD && event != SC3_JSON_EVENT_END);
  must(sc3_json_read(&reader, &token) == event);
  return event;
}

static void check_number(sc3_slice text) {
  char written[SC3_NUMBER_TEXT];
  sc3_number number, again;
  (void)sc3_boolean_read(text);
  (void)sc3_amount_read(text, ',', &number);
  (void)sc3_amount_find_notation(text);
  if (!sc3_number_read(text, &number))
    return;
  must(sc3_number_read(sc3_slice_of(written, sc3_number_write(number.value, written)), &again));
  must(memcmp(&number.value, &again.value, sizeof number.value) == 0);
  must(!number.is_integer ||
       (sc3_number_read(sc3_slice_of(written, sc3_number_write_integer(number.integer, written)),
                        &again) &&
        again.is_integer && again.integer == number.integer));
}

static size_t encode(const uint8_t *p, size_t n, const char *last_two, char *out) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  size_t i, k = 0;
  uint32_t bits = 0;
  int count = 0;
  for (i = 0; i < n || count > 0;) {
    uint32_t digit;
    if (count < 6 && i < n) {
      bits = bits << 8 | p[i++];
      count += 8;
      continue;
    }
    if (count < 6) {
      bits <<= 6 - count;
      count = 6;
    }
    count -= 6;
    digit = bits >> count & 63;
    out[k++] = digit < 62 ? digits[digit] : last_two[digit - 62];
    bits &= (1u << count) - 1;
  }
  return k;
}

static void check_base64(sc3_slice text) {
  uint8_t bytes[3072];
  char written[4100];
  int n = sc3_base64_decode(text, bytes, (int)sizeof bytes);
  if (n >= 0) {
    size_t k = encode(bytes, (size_t)n, "+/", written);
    must(k <= text.n);
    if (memcmp(written, text.p, k) != 0) {
      k = encode(bytes, (size_t)n, "-_", written);
      must(memcmp(written, text.p, k) == 0);
    }
    for (; k < text.n; k++)
      must(text.p[k] == '=');
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  sc3_slice text = sc3_slice_of((const char *)data, size), parts[2];
  char one[SC3_SHA256_HEX], other[SC3_SHA256_HEX];
  if (size == 0)
    return 0;
  check_json(text);
  if (read_json(text) == SC3_JSON_EVENT_BAD) {
    sc3_json_duplicates found;
    must(sc3_json_check_object(text, &found) == SC3_JSON_MALFORMED);
  }
  check_number(text);
  check_base64(text);
  parts[0] = sc3_slice_of(text.p, size / 3);
  parts[1] = sc3_slice_of(text.p + size / 3, size - size / 3);
  must(sc3_hmac_sha256_hex(parts[0], &text, 1, one) == SC3_OK &&
       sc3_hmac_sha256_hex(parts[0], parts, 2, other) == SC3_OK);
  must(sc3_equal_secret(sc3_slice_of(one, sizeof one), sc3_slice_of(other, sizeof other)));
  return 0;
}
