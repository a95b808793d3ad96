/* libFuzzer's target for lines of members, which may be a stranger's (csrc/core/members/lines.h).
 * An input is a byte that chooses the room, and a text of lines. What must hold:
 *   - it is read up to its end, to a label, or until there is no room;
 *   - each member that is taken is JSON that every parser reads the same: a removal of an id alone,
 *     or an add of an id with identifiers;
 *   - it is little longer than its line, and all lines are no longer than the text;
 *   - written as lines and taken once more, the members are the same, byte for byte.
 *
 *   make fuzz FUZZ_SECONDS=60 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../csrc/core/bytes/json_check.h"
#include "../csrc/core/members/lines.h"
#include "../csrc/core/members/packed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MEMBERS = 64, ROOM = 1 << 20, GROWTH = 256 /* bytes of names and digits */ };

static void must(int holds) {
  if (!holds)
    abort();
}

static void check_member(sc3_slice json, sc3_op op) {
  sc3_json_duplicates found;
  sc3_packed parts;
  must(sc3_json_check_object(json, &found) == SC3_JSON_FINE);
  must(json.n <= sc3_packed_of(json, &parts) + GROWTH && parts.id.n > 0);
  must((op == SC3_ADD) == (parts.email != NULL || parts.phone != NULL || parts.uids.p != NULL));
}

/* Those of a text of so many bytes. */
static void check_members(const sc3_payload *p, size_t text) {
  size_t i;
  must(sc3_lines_size(p) <= text);
  for (i = 0; i < sc3_payload_count(p); i++) {
    sc3_op op;
    const sc3_slice json = sc3_payload_member(p, i, &op);
    if (json.p != NULL)
      check_member(json, op);
  }
}

static void must_equal(const sc3_payload *p, const sc3_payload *again) {
  char hex[2][SC3_SHA256_HEX];
  sc3_payload_digest(p, hex[0]);
  sc3_payload_digest(again, hex[1]);
  must(memcmp(hex[0], hex[1], SC3_SHA256_HEX) == 0);
}

/* One of the same members that has nothing else, such as the blanks where one was replaced. */
static sc3_payload *copy_of(const sc3_payload *p) {
  const size_t n = sc3_lines_size(p);
  char *lines = malloc(n > 0 ? n : 1);
  sc3_payload *copy = sc3_payload_new(MEMBERS, ROOM);
  sc3_lines_taken taken;
  must(lines != NULL && copy != NULL);
  sc3_lines_write(p, lines);
  must(sc3_lines_take(sc3_slice_of(lines, n), 0, copy, &taken) == SC3_OK);
  must(taken.next == n && taken.bad == 0 && taken.unfit == 0 && !taken.full);
  must(sc3_payload_living(copy, SC3_ADD) == sc3_payload_living(p, SC3_ADD) &&
       sc3_payload_living(copy, SC3_REMOVE) == sc3_payload_living(p, SC3_REMOVE));
  free(lines);
  return copy;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  sc3_payload *p, *copy, *again;
  sc3_lines_taken taken;
  size_t n = size > 0 ? size - 1 : 0;
  char *text = malloc(n > 0 ? n : 1); /* of exactly that size */
  must(text != NULL);
  if (n > 0)
    memcpy(text, data + 1, n);
  p = sc3_payload_new(MEMBERS, size > 0 && data[0] > 0 ? data[0] * 8u : ROOM);
  must(p != NULL);
  must(sc3_lines_take(sc3_slice_of(text, n), 0, p, &taken) == SC3_OK);
  must(taken.next == n || taken.full || (taken.next < n && text[taken.next] == '@'));
  must(taken.members + taken.unfit + taken.bad <= n);
  must(sc3_payload_living(p, SC3_ADD) + sc3_payload_living(p, SC3_REMOVE) <= taken.members);
  check_members(p, n);
  copy = copy_of(p);
  again = copy_of(copy);
  must_equal(copy, again);
  sc3_payload_free(again);
  sc3_payload_free(copy);
  sc3_payload_free(p);
  free(text);
  return 0;
}
