#include "boolean_words.h"

#include "lowercase.h"
#include "../bytes/utf8.h"

enum { LONGEST = 24 };

/* Words one after the other, each with its NUL; the last is empty. */
static const char YES[] = "yes\0"
                          "y\0"
                          "true\0"
                          "t\0"
                          "1\0"
                          "1.0\0"
                          "on\0" /* English, and programs */
                          "ja\0"
                          "j\0"
                          "wahr\0" /* German, Dutch, Danish, Norwegian, Swedish */
                          "oui\0"
                          "vrai\0" /* French */
                          "si\0"
                          "s\xc3\xad\0"
                          "s\xc3\xac\0"
                          "s\0"
                          "verdadero\0"
                          "vero\0" /* Spanish, Italian */
                          "sim\0"
                          "verdadeiro\0" /* Portuguese */
                          "waar\0"
                          "sand\0"
                          "sant\0"
                          "sann\0" /* Excel in Dutch, Danish, Swedish, Norwegian */
                          "kyll\xc3\xa4\0"
                          "tosi\0"
                          "jah\0" /* Finnish, Estonian */
                          /* Polish, Czech, Slovak, Hungarian, Romanian and others */
                          "tak\0"
                          "prawda\0"
                          "ano\0"
                          "\xc3\xa1no\0"
                          "pravda\0"
                          "igen\0"
                          "igaz\0"
                          "da\0"
                          "evet\0"
                          "do\xc4\x9fru\0" /* Turkish */
                          /* Russian, Ukrainian */
                          "\xd0\xb4\xd0\xb0\0"
                          "\xd1\x82\xd0\xb0\xd0\xba\0"
                          "\xd0\xb8\xd1\x81\xd1\x82\xd0\xb8\xd0\xbd\xd0\xb0\0"
                          "\xce\xbd\xce\xb1\xce\xb9\0" /* Greek */
                          /* Japanese, Chinese, Korean */
                          "\xe3\x81\xaf\xe3\x81\x84\0"
                          "\xe6\x98\xaf\0"
                          "\xec\x98\x88\0";

static const char NO[] = "no\0"
                         "n\0"
                         "false\0"
                         "f\0"
                         "0\0"
                         "0.0\0"
                         "off\0"
                         "nein\0"
                         "falsch\0"
                         "nee\0"
                         "nej\0"
                         "nei\0"
                         "non\0"
                         "faux\0"
                         "falso\0"
                         "n\xc3\xa3o\0"
                         "nao\0"
                         "onwaar\0"
                         "falsk\0"
                         "falskt\0"
                         "usann\0"
                         "ei\0"
                         "ep\xc3\xa4tosi\0"
                         "nie\0"
                         "fa\xc5\x82sz\0"
                         "ne\0"
                         "nepravda\0"
                         "nem\0"
                         "hamis\0"
                         "nu\0"
                         "hay\xc4\xb1r\0"
                         "hayir\0"
                         "yanl\xc4\xb1\xc5\x9f\0"
                         "yanli\xc5\x9f\0"
                         "\xd0\xbd\xd0\xb5\xd1\x82\0"
                         "\xd0\xbd\xd1\x96\0"
                         "\xd0\xbb\xd0\xbe\xd0\xb6\xd1\x8c\0"
                         "\xcf\x8c\xcf\x87\xce\xb9\0"
                         "\xce\xbf\xcf\x87\xce\xb9\0"
                         "\xe3\x81\x84\xe3\x81\x84\xe3\x81\x88\0"
                         "\xe5\x90\xa6\0"
                         "\xec\x95\x84\xeb\x8b\x88\xec\x9a\x94\0"
                         "\xec\x95\x84\xeb\x8b\x88\xec\x98\xa4\0";

static int is_among(const char *words, const char *text, size_t n) {
  size_t length;
  for (; (length = strlen(words)) > 0; words += length + 1) {
    if (length == n && memcmp(words, text, n) == 0)
      return 1;
  }
  return 0;
}

int sc3_boolean_read(sc3_slice text) {
  char lower[LONGEST];
  size_t n;
  if (text.n == 0 || text.n > LONGEST || !sc3_utf8_valid(text.p, text.n))
    return -1;
  if (sc3_lowercase(text, lower, sizeof lower, &n) != 0 || n == 0)
    return -1;
  if (is_among(YES, lower, n))
    return 1;
  return is_among(NO, lower, n) ? 0 : -1;
}
