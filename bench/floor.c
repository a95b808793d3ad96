/* What cannot be avoided, and nothing else: reads a CSV, finds the fields, hashes two of each row
 * side by side, and writes the id and the two hashes as JSON. Nothing is validated, normalised,
 * unquoted, counted or looked up.   floor FILE */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../csrc/core/rows/csv_marks.h"
#include "../csrc/core/bytes/sha256.h"

enum { CHUNK = 256 << 10, BODY = 8 << 20, ID = 0, PHONE = 6, EMAIL = 8, COLUMNS = 64 };

static char input[CHUNK + (1 << 20)], body[BODY];
static size_t body_length;

static void put(const char *p, size_t n) {
  memcpy(body + body_length, p, n);
  body_length += n;
}

#define PUT(literal) put(literal, sizeof literal - 1)

static void row(const char *const starts[], const char *const ends[], int sink) {
  char email[SC3_SHA256_HEX], phone[SC3_SHA256_HEX];
  const sc3_sha256_message a = {starts[EMAIL], (size_t)(ends[EMAIL] - starts[EMAIL]), email},
                           b = {starts[PHONE], (size_t)(ends[PHONE] - starts[PHONE]), phone};
  sc3_sha256_hex_pair(&a, &b);
  if (body_length > BODY - 1024) {
    if (write(sink, body, body_length) < 0)
      perror("write");
    body_length = 0;
  }
  PUT("{\"externalId\":\"");
  put(starts[ID], (size_t)(ends[ID] - starts[ID]));
  PUT("\",\"hashedEmail\":\"");
  put(email, sizeof email);
  PUT("\",\"hashedPhone\":\"");
  put(phone, sizeof phone);
  PUT("\"},");
}

/* The rows of the `n` bytes that lie in `input`; the bytes of whole rows. */
static size_t rows_of(size_t n, sc3_csv_marks marks, int sink) {
  const char *starts[COLUMNS], *ends[COLUMNS], *start = input;
  size_t block, whole = 0, column = 0;
  int quoted = 0;
  sc3_csv_marked marked;
  for (block = 0; block < n; block += SC3_MARKS_BLOCK) { /* the buffer has room after its end */
    uint64_t bits;
    if (block % SC3_MARKS_STRETCH == 0)
      marks(input + block, ',', '"', '\0', &marked);
    bits = marked.bits[block % SC3_MARKS_STRETCH / SC3_MARKS_BLOCK];
    for (; bits != 0; bits &= bits - 1) {
      const char *mark = input + block + __builtin_ctzll(bits);
      if (mark >= input + n)
        break;
      if (*mark == '"') {
        quoted = !quoted;
      } else if (!quoted && (*mark == ',' || *mark == '\n')) {
        if (column < COLUMNS) {
          starts[column] = start;
          ends[column++] = mark;
        }
        start = mark + 1;
        if (*mark == '\n') {
          if (column > EMAIL)
            row(starts, ends, sink);
          column = 0;
          whole = (size_t)(start - input);
        }
      }
    }
  }
  return whole;
}

int main(int argc, char **argv) {
  sc3_csv_marks marks = sc3_csv_marks_choose(NULL, 0);
  int fd = argc > 1 ? open(argv[1], O_RDONLY) : 0, sink = open("/dev/null", O_WRONLY);
  size_t left = 0;
  ssize_t n;
  if (fd < 0 || sink < 0) {
    perror(argc > 1 ? argv[1] : "floor");
    return 1;
  }
  while ((n = read(fd, input + left, CHUNK)) > 0) {
    size_t have = left + (size_t)n, whole = rows_of(have, marks, sink);
    left = have - whole;
    if (left > sizeof input - CHUNK - SC3_MARKS_STRETCH)
      return 1;
    memmove(input, input + whole, left);
  }
  return write(sink, body, body_length) < 0;
}
