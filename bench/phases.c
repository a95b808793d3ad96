/* Where the time of a mapped row goes: each line does what the one before does, and more.
 *
 *   phases FILE
 *
 * The columns are those of bench/make_data.lua. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../csrc/core/members/builder.h"
#include "../csrc/core/rows/csv.h"
#include "../csrc/core/identity/email.h"
#include "../csrc/core/identity/phone.h"
#include "../csrc/core/identity/region.h"
#include "../csrc/core/bytes/sha256.h"

enum { ID = 0, COUNTRY = 5, PHONE = 6, EMAIL = 8, RUNS = 5 };
typedef enum phase { READ, PARSE, NORMALIZE, HASH, MEMBER, PAYLOAD, PHASES } phase;

static unsigned long sink;

static double cpu_seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void identities(const sc3_record *r, sc3_region_memo **memo, int hash) {
  char a[SC3_SHA256_HEX], b[SC3_SHA256_HEX];
  sc3_email email;
  sc3_phone phone;
  sc3_reason bad_email = sc3_email_normalize(r->fields[EMAIL].value, 1, &email);
  sc3_reason bad_phone = sc3_phone_normalize(
      r->fields[PHONE].value, sc3_region_recall(memo, r->fields[COUNTRY].value), 0, &phone);
  sink += email.n + phone.n;
  if (hash && bad_email == SC3_R_NONE && bad_phone == SC3_R_NONE) {
    const sc3_sha256_message one = {email.text, email.n, a}, other = {phone.text, phone.n, b};
    sc3_sha256_hex_pair(&one, &other);
    sink += (unsigned char)a[0] + (unsigned char)b[0];
  }
}

static void members(sc3_builder *b, const sc3_record *r, sc3_payload *p, int flush) {
  sc3_builder_begin(b, r->row, r->line);
  if (sc3_builder_map(b, r, p) != SC3_OK || sc3_builder_end(b, 0) != SC3_OK)
    exit(1);
  while (flush && sc3_builder_flush(b, p) == SC3_FULL)
    sc3_payload_reset(p);
}

/* Seconds for a file; its rows are written to `*rows`. */
static double run(const char *path, phase upto, uint64_t *rows) {
  static const sc3_role roles[] = {SC3_ROLE_EXTERNAL_ID, SC3_ROLE_EMAIL, SC3_ROLE_PHONE,
                                   SC3_ROLE_REGION};
  static const size_t columns[] = {ID, EMAIL, PHONE, COUNTRY};
  double start = cpu_seconds();
  sc3_csv csv;
  sc3_record record;
  sc3_builder builder;
  static sc3_mapping wanted;
  sc3_region_memo *memo = NULL;
  sc3_payload *payload = sc3_payload_new(100000, 8 << 20);
  size_t i;
  int fd = open(path, O_RDONLY);
  if (fd < 0 || payload == NULL) {
    perror(path);
    exit(1);
  }
  sc3_csv_init(&csv, ',', 1);
  sc3_builder_init(&builder, SC3_ADD, 1 << 20, 0);
  for (i = 0; i < 4; i++) {
    wanted.targets[i].role = roles[i];
    wanted.targets[i].column = columns[i] + 1;
  }
  wanted.target_count = wanted.ends[0] = 4;
  wanted.member_count = 1;
  builder.mapping = &wanted;
  *rows = 0;
  for (;;) {
    sc3_next next = upto == READ ? SC3_NEXT_NEED : sc3_csv_next(&csv, &record);
    if (next == SC3_NEXT_NEED) {
      char *space = sc3_input_space(&csv.input, SC3_CHUNK);
      ssize_t n = space != NULL ? read(fd, space, SC3_CHUNK) : -1;
      if (n < 0)
        exit(1);
      if (n == 0 && upto == READ)
        break;
      if (n == 0)
        (void)sc3_input_finish(&csv.input);
      else if (upto != READ)
        sc3_input_commit(&csv.input, (size_t)n);
      continue;
    }
    if (next != SC3_NEXT_RECORD)
      break;
    (*rows)++;
    if (upto == NORMALIZE || upto == HASH)
      identities(&record, &memo, upto == HASH);
    else if (upto > HASH)
      members(&builder, &record, payload, upto == PAYLOAD);
  }
  sc3_csv_free(&csv);
  sc3_builder_free(&builder);
  free(memo);
  sc3_payload_free(payload);
  (void)close(fd);
  return cpu_seconds() - start;
}

int main(int argc, char **argv) {
  static const char *const names[PHASES] = {
      "read",     "and parse",         "and normalise email, phone, region",
      "and hash", "and write members", "and put them into payloads"};
  double best[PHASES];
  uint64_t rows = 0;
  int round, upto;
  if (argc != 2)
    return 2;
  for (round = 0; round < RUNS; round++) {
    for (upto = READ; upto < PHASES; upto++) {
      double spent = run(argv[1], (phase)upto, &rows);
      if (round == 0 || spent < best[upto])
        best[upto] = spent;
    }
  }
  printf("%-38s %12s %12s\n", "ns a row, best of 5", "together", "this alone");
  for (upto = READ; upto < PHASES; upto++)
    printf("%-38s %12.0f %12.0f\n", names[upto], best[upto] * 1e9 / (double)rows,
           (best[upto] - (upto > READ ? best[upto - 1] : 0)) * 1e9 / (double)rows);
  return sink == 0;
}
