/* Words that people and programs put where they have no value. */
#ifndef SC3_PLACEHOLDER_H
#define SC3_PLACEHOLDER_H

#include "../bytes/sha256.h"
#include "../bytes/slice.h"

enum {
  SC3_PLACEHOLDER_LONGEST = 19
}; /* of the words, but for noemail@ and a spreadsheet's errors */

/* True for n/a, none, null, unknown and the like, for a spreadsheet's errors, and for noemail@ of
   any domain, in any case. */
int sc3_is_placeholder(sc3_slice trimmed);

/* The same of an id: fewer words (`test` may be an account's, and 0 the first row's), and also
   texts without letters and digits, one word over and over (nullnull), and UUIDs of one digit, as
   the UUID of nobody is. `trimmed` must be valid UTF-8. */
int sc3_is_placeholder_id(sc3_slice trimmed);

/* True for the SHA-256 of such a word (lowercase hex digits), of the spellings that exports have.
 */
int sc3_is_placeholder_hash(const char hex[SC3_SHA256_HEX]);

#endif
