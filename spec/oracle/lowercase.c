/* libunistring's side of lowercase.mjs: answers lines with their lowercase, and with an empty line
 * where the first character is not assigned. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unicase.h>
#include <unictype.h>
#include <unistr.h>

/* The words of a line lie between tabs; each is a text of its own. */
static void answer(const uint8_t *p, size_t n) {
  while (n > 0) {
    uint8_t out[512];
    const uint8_t *tab = memchr(p, '\t', n);
    size_t word = tab != NULL ? (size_t)(tab - p) : n, length = sizeof out;
    if (u8_tolower(p, word, NULL, NULL, out, &length) != out)
      return;
    fwrite(out, 1, length, stdout);
    p += word;
    n -= word;
    if (n > 0) {
      putchar('\t');
      p++;
      n--;
    }
  }
}

int main(void) {
  char *line = NULL;
  size_t room = 0;
  ssize_t n;
  while ((n = getline(&line, &room, stdin)) > 0) {
    ucs4_t first;
    n--;
    if (u8_mbtouc(&first, (const uint8_t *)line, (size_t)n) > 0 &&
        !uc_is_general_category(first, UC_UNASSIGNED))
      answer((const uint8_t *)line, (size_t)n);
    putchar('\n');
  }
  return 0;
}
