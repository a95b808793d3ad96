#include "header.h"

#include <stdint.h>

#include "../bytes/ascii.h"
#include "../bytes/text.h"
#include "../bytes/utf8.h"

/* Takes the next character that counts off `s`; 0 at the end. A byte that is not UTF-8 counts as
 * itself. */
static uint32_t next_of(sc3_slice *s) {
  while (s->n > 0) {
    uint32_t c = 0;
    size_t used = sc3_utf8_decode(s->p, s->n, &c);
    int white;
    if (used == 0) {
      c = 0x110000u + (unsigned char)*s->p; /* no character is that */
      used = 1;
    }
    white = sc3_text_trim(sc3_slice_of(s->p, used)).n == 0;
    s->p += used;
    s->n -= used;
    if (sc3_ascii_is_upper((int)c))
      c += 'a' - 'A';
    if (!white && !sc3_text_is_invisible(c) && c != '_' && c != '.' && c != '-' && c != 0)
      return c;
  }
  return 0;
}

int sc3_header_is_alike(sc3_slice a, sc3_slice b) {
  uint32_t c = next_of(&a), d = next_of(&b);
  if (c == 0)
    return 0;
  for (; c == d && c != 0; c = next_of(&a))
    d = next_of(&b);
  return c == d;
}

static size_t find_all(const sc3_slice *names, size_t n, sc3_slice name,
                       int (*same)(sc3_slice, sc3_slice), size_t at[2]) {
  size_t i, found = 0;
  for (i = 0; i < n && found < 2; i++) {
    if (same(names[i], name))
      at[found++] = i;
  }
  return found;
}

sc3_header_found sc3_header_find(const sc3_slice *names, size_t n, sc3_slice name, size_t at[2]) {
  size_t found = find_all(names, n, name, sc3_slice_eq, at);
  if (found > 1)
    return SC3_HEADER_TWICE;
  if (found == 0)
    found = find_all(names, n, name, sc3_header_is_alike, at);
  return found == 0 ? SC3_HEADER_NONE : found == 1 ? SC3_HEADER_ONE : SC3_HEADER_ALIKE;
}

size_t sc3_header_number(sc3_slice name) {
  size_t i, number = 0;
  if (name.n < 2 || name.n > 5 || name.p[0] != '#' || name.p[1] == '0')
    return 0;
  for (i = 1; i < name.n; i++) {
    if (!sc3_ascii_is_digit(name.p[i]))
      return 0;
    number = number * 10 + (size_t)(name.p[i] - '0');
  }
  return number;
}

static int is_alphanumeric(char c) {
  return sc3_ascii_is_alphanumeric(c) || ((unsigned char)c & 0x80) != 0;
}

static int looks_like_email(sc3_slice s) {
  size_t i;
  for (i = 1; i + 1 < s.n; i++) {
    if (s.p[i] == '@' && is_alphanumeric(s.p[i - 1]) && is_alphanumeric(s.p[i + 1]))
      return 1;
  }
  return 0;
}

/* Seven digits or more and nothing but what phones, dates and amounts have between them; or a hash
 * in hex. */
static int looks_like_number(sc3_slice s) {
  size_t i, digits = 0, letters = 0;
  for (i = 0; i < s.n; i++) {
    char c = s.p[i];
    if (sc3_ascii_is_digit(c))
      digits++;
    else if (sc3_ascii_is_hex(c))
      letters++;
    else if (c == '\0' || strchr("+-()./ ", c) == NULL)
      return 0;
  }
  return (letters == 0 && digits >= 7) || letters + digits >= 32;
}

const char *sc3_header_advice(const sc3_slice *names, size_t n) {
  size_t i;
  for (i = 0; i < n; i++) {
    sc3_slice name = sc3_text_trim(names[i]);
    if (looks_like_email(name) || looks_like_number(name))
      return "its first line looks like data and not like names: say so (--no-header, or header = "
             "false), and give columns by number";
  }
  return NULL;
}

enum { WORD_MAX = 32 };

/* Takes the next word off `s`, in lowercase: letters of one kind, "PhoneNumber" being two of them.
   Bytes outside ASCII are letters. 0 at the end, WORD_MAX where it is longer than any that is
   known. */
static size_t next_word(sc3_slice *s, char word[WORD_MAX]) {
  size_t n = 0;
  while (s->n > 0) {
    const char c = *s->p;
    const int upper = sc3_ascii_is_upper(c),
              letter = sc3_ascii_is_letter(c) || ((unsigned char)c & 0x80) != 0;
    if (n > 0 && (!letter || (upper && !sc3_ascii_is_upper(s->p[-1]))))
      break;
    if (letter && n < WORD_MAX)
      word[n++] = sc3_ascii_to_lower(c);
    s->p++;
    s->n--;
  }
  return n;
}

static int is_among(sc3_slice word, const char *const *words) {
  for (; *words != NULL; words++) {
    if (sc3_slice_eq(word, sc3_slice_of(*words, strlen(*words))))
      return 1;
  }
  return 0;
}

/* Words that say whose it is, or which. */
static const char *const WHOSE[] = {
    "customer",   "client",    "user",    "contact",  "person",     "personal",
    "member",     "buyer",     "billing", "shipping", "home",       "work",
    "business",   "company",   "private", "primary",  "secondary",  "main",
    "default",    "preferred", "other",   "my",       "the",        "kunde",
    "kunden",     "privat",    "raw",     "clean",    "properties", "traits",
    "attributes", "fields",    "data",    "value",    "account",    NULL,
};

static const char *const EMAILS[] = {
    "email",        "emails",       "mail",        "emailaddress",      "mailaddress",
    "emailadresse", "mailadresse",  "correo",      "correoelectronico", "correoelectr\xc3\xb3nico",
    "courriel",     "adresseemail", "adressemail", "emailaddr",         NULL};

static const char *const PHONES[] = {
    "phone",
    "phones",
    "phonenumber",
    "phoneno",
    "phonenr",
    "phonenum",
    "telephone",
    "telephonenumber",
    "telephoneno",
    "tel",
    "telno",
    "telnr",
    "telnumber",
    "telefon",
    "telefonnummer",
    "telefonnr",
    "telefono",
    "tel\303\251fono",
    "telefone",
    "t\xc3\xa9l\xc3\xa9phone",
    "mobile",
    "mobilenumber",
    "mobileno",
    "mobilenr",
    "mobilephone",
    "mobilephonenumber",
    "mobil",
    "mobilnummer",
    "mobiltelefon",
    "mobiletelephone",
    "cell",
    "cellphone",
    "cellnumber",
    "cellphonenumber",
    "cellno",
    "celular",
    "handy",
    "handynummer",
    "msisdn",
    "whatsapp",
    "whatsappnumber",
    "gsm",
    "phonemobile",
    "phonehome",
    "phonework",
    "telefonmobil",
    NULL,
};

sc3_pii sc3_header_detect_pii(sc3_slice name) {
  char word[WORD_MAX], all[WORD_MAX];
  size_t n, length = 0;
  while ((n = next_word(&name, word)) > 0) {
    if (is_among(sc3_slice_of(word, n), WHOSE))
      continue;
    if (n == WORD_MAX || length + n > WORD_MAX)
      return SC3_PII_NONE;
    memcpy(all + length, word, n);
    length += n;
  }
  if (is_among(sc3_slice_of(all, length), EMAILS))
    return SC3_PII_EMAIL;
  return is_among(sc3_slice_of(all, length), PHONES) ? SC3_PII_PHONE : SC3_PII_NONE;
}
