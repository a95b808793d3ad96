/* Emails (docs/contract.md section 7): trimmed, lowercased, and nothing else. What wraps an address
 * is removed, and noted as a repair. */
#ifndef SC3_EMAIL_H
#define SC3_EMAIL_H

#include "reason.h"
#include "../bytes/slice.h"

enum { SC3_EMAIL_PRIVATE_LEAST = 5 }; /* the shortest label of sc3_email_is_private() */
enum { SC3_EMAIL_MAX = 254 };         /* bytes of an address, RFC 5321 section 4.5.3.1.3 */

/* An address as it is hashed. */
typedef struct sc3_email {
  char text[SC3_EMAIL_MAX];
  size_t n;
  sc3_repairs repairs; /* of what was wrapped round it */
} sc3_email;

/* Reads `raw`, which must not be blank, into `*email`. SC3_R_NONE on success, else why it is no
   usable address. Dots and plus tags are kept, and nothing is guessed.

   With `repair`, what wraps an address is removed first: mailto:, labels, names, links, comments,
   quotes, marks, punctuation after it, and invisible characters at the ends. Of several addresses
   the first is taken that can be used. Without it both are refused. */
sc3_reason sc3_email_normalize(sc3_slice raw, int repair, sc3_email *email);

/* Whether a last label is one that no address of the public has: .invalid, .localhost, .local,
 * .internal. */
int sc3_email_is_private(sc3_slice label);

/* The commonest addresses, which need no repairing and cannot be refused, by a short way: letters,
   digits, and . _ + - before the @, letters, digits, . and - after it, and spaces round them. 1
   when `raw` is one, and its form is in `out` as above; 0 for all others, good or bad. */
int sc3_email_normalize_plain(sc3_slice raw, char out[SC3_EMAIL_MAX], size_t *n);

/* Calls `read` with each address of a list, in its order, until it answers SC3_R_NONE; what it
   answered last, or SC3_R_EMAIL_SEVERAL where `s` is no list that can be parted for sure. `s` must
   be trimmed, valid UTF-8. */
sc3_reason sc3_email_list(sc3_slice s, sc3_reason (*read)(void *what, sc3_slice address),
                          void *what);

/* The address of a list that has one, beside parts that hold no value (`n/a; a@x`, `["","a@x"]`);
   empty where `s` is no such list, or where a part may belong to the address (`jane,doe@x`). `s`
   must be trimmed, with one @. */
sc3_slice sc3_email_only(sc3_slice s);

/* Takes off `s` what wraps an address, and adds to `*repairs` what that was. `s` must be trimmed,
 * valid UTF-8. */
sc3_slice sc3_email_unwrap(sc3_slice s, sc3_repairs *repairs);

#endif
