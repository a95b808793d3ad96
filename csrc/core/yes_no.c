#include "yes_no.h"

#include "lowercase.h"
#include "utf8.h"

enum { LONGEST = 24 };

static const char *const YES[] = {
  "yes", "y", "true", "t", "1", "1.0", "on", /* English, and programs */
  "ja", "j", "wahr", /* German, Dutch, Danish, Norwegian, Swedish */
  "oui", "vrai", /* French */
  "si", "s\xc3\xad", "s\xc3\xac", "s", "verdadero", "vero", /* Spanish, Italian */
  "sim", "verdadeiro", /* Portuguese */
  "waar", "sand", "sant", "sann", /* Excel in Dutch, Danish, Swedish, Norwegian */
  "kyll\xc3\xa4", "tosi", "jah", /* Finnish, Estonian */
  /* Polish, Czech, Slovak, Hungarian, Romanian and others */
  "tak", "prawda", "ano", "\xc3\xa1no", "pravda", "igen", "igaz", "da",
  "evet", "do\xc4\x9fru", /* Turkish */
  /* Russian, Ukrainian */
  "\xd0\xb4\xd0\xb0", "\xd1\x82\xd0\xb0\xd0\xba", "\xd0\xb8\xd1\x81\xd1\x82\xd0\xb8\xd0\xbd\xd0\xb0",
  "\xce\xbd\xce\xb1\xce\xb9", /* Greek */
  "\xe3\x81\xaf\xe3\x81\x84", "\xe6\x98\xaf", "\xec\x98\x88", /* Japanese, Chinese, Korean */
};

static const char *const NO[] = {
  "no", "n", "false", "f", "0", "0.0", "off",
  "nein", "falsch", "nee", "nej", "nei",
  "non", "faux",
  "falso",
  "n\xc3\xa3o", "nao",
  "onwaar", "falsk", "falskt", "usann",
  "ei", "ep\xc3\xa4tosi",
  "nie", "fa\xc5\x82sz", "ne", "nepravda", "nem", "hamis", "nu",
  "hay\xc4\xb1r", "hayir", "yanl\xc4\xb1\xc5\x9f", "yanli\xc5\x9f",
  "\xd0\xbd\xd0\xb5\xd1\x82", "\xd0\xbd\xd1\x96", "\xd0\xbb\xd0\xbe\xd0\xb6\xd1\x8c",
  "\xcf\x8c\xcf\x87\xce\xb9", "\xce\xbf\xcf\x87\xce\xb9",
  "\xe3\x81\x84\xe3\x81\x84\xe3\x81\x88", "\xe5\x90\xa6", "\xec\x95\x84\xeb\x8b\x88\xec\x9a\x94",
      "\xec\x95\x84\xeb\x8b\x88\xec\x98\xa4",
};

static int is_among(const char *const *words, size_t count, const char *text, size_t n) {
  size_t i;
  for (i = 0; i < count; i++) {
    if (words[i][0] == text[0] && strlen(words[i]) == n && memcmp(words[i], text, n) == 0)
      return 1;
  }
  return 0;
}

int sc3_yes_no(sc3_slice text) {
  char lower[LONGEST];
  size_t n;
  if (text.n == 0 || text.n > LONGEST || !sc3_utf8_valid(text.p, text.n))
    return -1;
  if (sc3_lowercase(text, lower, sizeof lower, &n) != 0 || n == 0)
    return -1;
  if (is_among(YES, sizeof YES / sizeof YES[0], lower, n))
    return 1;
  return is_among(NO, sizeof NO / sizeof NO[0], lower, n) ? 0 : -1;
}
