/* What a night of a mirror costs beside reading and building: ids, chunks and rows are made up.
 *
 *   cc -O2 -std=c11 -D_GNU_SOURCE -o build/bench/mirror bench/mirror.c \
 *     $(find csrc/core -name '*.c')
 *   build/bench/mirror [IDS] [PARTS-BITS] [FOLDER]
 *
 * `load` folds chunks that add all ids to an empty state. Then a night reads them again, shuffled:
 * 1 % have other cells, 0.5 % are gone, 0.3 % are new. `fold` applies what that night sends. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "../csrc/core/mirror/fold.h"
#include "../csrc/core/mirror/members_blob.h"
#include "../csrc/core/mirror/night.h"

enum { A_CHUNK = 100000, COLUMNS = 4, CHANGED = 10, GONE = 5, NEW = 3 /* in a thousand */ };

/* A prime above any number of rows, so that every row comes once. */
static const uint64_t STEP = UINT64_C(2654435761);

typedef struct state {
  FILE *file; /* has the blobs, as a database would */
  long at[1 << SC3_MIRROR_PARTS_BITS], size[1 << SC3_MIRROR_PARTS_BITS];
  char *blob; /* the one that is used */
  unsigned bits;
  uint64_t ids;
  const char *folder;
  sc3_row_key key;
} state;

static struct timespec began;

static void must(sc3_mirror_status status) {
  if (status == SC3_MIRROR_OK)
    return;
  perror(sc3_mirror_describe(status, 0));
  exit(1);
}

static double cpu_since(void) {
  struct timespec now;
  double seconds;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  seconds = (double)(now.tv_sec - began.tv_sec) + (double)(now.tv_nsec - began.tv_nsec) / 1e9;
  began = now;
  return seconds;
}

static void say(const char *what, uint64_t n) {
  struct rusage usage;
  const double seconds = cpu_since();
  getrusage(RUSAGE_SELF, &usage);
  printf("%-28s %9.3f s CPU %8.1f ns each, peak %6.1f MB\n", what, seconds,
         seconds * 1e9 / (double)n, (double)usage.ru_maxrss / 1024);
}

static uint64_t mixed(uint64_t z) {
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

/* Ids of 15 bytes, as databases number people. */
static sc3_slice id_of(uint64_t number, char *to) {
  int i;
  memcpy(to, "cust-", 5);
  for (i = 14; i >= 5; i--, number /= 10)
    to[i] = (char)('0' + number % 10);
  return sc3_slice_of(to, 15);
}

static sc3_row_hash hash_of(const sc3_row_key *key, sc3_slice id, unsigned version) {
  static const char *const cells[COLUMNS][2] = {
      {"jane.doe.%s@example.com", "jane.roe.0000@example.com"},
      {"+1 206 555 0142", "+1 206 555 0143"},
      {"US", "US"},
      {"2026-11-29", "2026-11-28"}};
  sc3_row_hasher row = sc3_row_begin(key, id, 0, 0);
  size_t i;
  for (i = 0; i < COLUMNS; i++)
    sc3_row_cell(&row, 0, sc3_slice_of(cells[i][version], strlen(cells[i][version])));
  return sc3_row_end(&row);
}

static sc3_slice read_part(state *s, size_t part) {
  const size_t n = (size_t)s->size[part];
  if (n == 0)
    return sc3_slice_of(NULL, 0);
  s->blob = realloc(s->blob, n);
  if (s->blob == NULL || fseek(s->file, s->at[part], SEEK_SET) != 0 ||
      fread(s->blob, 1, n, s->file) != n)
    exit(1);
  return sc3_slice_of(s->blob, n);
}

static void write_part(state *s, size_t part, sc3_slice blob) {
  if (fseek(s->file, 0, SEEK_END) != 0)
    exit(1);
  s->at[part] = ftell(s->file);
  s->size[part] = (long)blob.n;
  if (fwrite(blob.p, 1, blob.n, s->file) != blob.n)
    exit(1);
}

static void fold_into(state *s, sc3_fold *fold) {
  size_t part;
  for (part = 0; part < (size_t)1 << s->bits; part++) {
    sc3_slice blob;
    uint32_t records;
    must(sc3_fold_part(fold, part, read_part(s, part), &blob, &records));
    if (blob.p != NULL)
      write_part(s, part, blob);
  }
}

static void give_chunk(sc3_fold *fold, sc3_chunk_writer *w) {
  const sc3_outcome_range all = {1, UINT32_MAX, {SC3_OUTCOME_APPLIED, 0}};
  sc3_slice blob;
  must(sc3_chunk_end(w, &blob));
  must(sc3_fold_chunk(fold, blob, &all, 1));
  sc3_chunk_free(w);
  sc3_chunk_begin(w, 1);
}

static sc3_fold *new_fold(const state *s) {
  const sc3_unfolded_options options = {s->bits, 1, s->folder};
  sc3_fold *fold;
  must(sc3_fold_open(&fold, &options));
  return fold;
}

static void load(state *s) {
  sc3_fold *fold = new_fold(s);
  sc3_chunk_writer w;
  uint64_t i;
  sc3_chunk_begin(&w, 1);
  for (i = 0; i < s->ids; i++) {
    char id[16];
    sc3_mirror_entry e = {SC3_ENTRY_ADD, 0, 1, 0, 0, 0, id_of(i, id)};
    const sc3_row_hash hash = hash_of(&s->key, e.id, 0);
    e.hash = hash.id;
    e.cells = hash.cells;
    e.member = mixed(i);
    must(sc3_chunk_put(&w, &e));
    if (w.count == A_CHUNK)
      give_chunk(fold, &w);
  }
  give_chunk(fold, &w);
  say("load: chunks written, staged", s->ids);
  fold_into(s, fold);
  sc3_fold_close(fold);
  say("load: partitions folded", s->ids);
}

static uint64_t sink;

/* The rows of the night, in another order than the state has them; they are only hashed, or staged
   as well. */
static void give_rows(const state *s, sc3_night *n, uint64_t rows, int staged) {
  uint64_t i;
  for (i = 0; i < rows; i++) {
    const uint64_t number = i * STEP % rows, kind = mixed(number) % 1000;
    const sc3_row_place place = {i, i * 100, 0, 1, 0, 1};
    char text[16];
    const sc3_slice id = id_of(number, text);
    sc3_row_hash hash;
    if (kind < GONE && number < s->ids)
      continue;
    hash = hash_of(&s->key, id, kind < GONE + CHANGED);
    sink += hash.cells;
    if (staged)
      must(sc3_night_row(n, &hash, &place));
  }
}

static uint64_t night(state *s, sc3_fold *fold) {
  const sc3_night_options options = {s->key.key, sc3_slice_of("", 0), s->bits,           1, 1, 0,
                                     0,          s->folder,           {NULL, NULL, NULL}};
  const uint64_t rows = s->ids + s->ids * NEW / 1000;
  const sc3_candidate *c;
  sc3_leaver leaver;
  sc3_chunk_writer w;
  sc3_night *n;
  uint64_t sent = 0;
  size_t part;
  must(sc3_night_open(&n, &options));
  give_rows(s, n, rows, 0);
  say("night: ids and cells hashed", rows);
  give_rows(s, n, rows, 1);
  say("night: rows hashed, staged", rows);
  for (part = 0; part < (size_t)1 << s->bits; part++)
    must(sc3_night_merge(n, part, read_part(s, part)));
  say("night: partitions merged", rows);
  sc3_chunk_begin(&w, 2);
  for (must(sc3_night_candidate(n, 0, &c)); c != NULL; must(sc3_night_candidate(n, 0, &c))) {
    char id[16];
    const sc3_mirror_entry e = {
        SC3_ENTRY_ADD, 0, 2, c->hash, c->cells, c->cells, id_of(c->order * STEP % rows, id)};
    must(sc3_chunk_put(&w, &e));
    sent++;
    if (w.count == A_CHUNK)
      give_chunk(fold, &w);
  }
  for (must(sc3_night_leaver(n, &leaver)); leaver.id.p != NULL;
       must(sc3_night_leaver(n, &leaver))) {
    const sc3_mirror_entry e = {SC3_ENTRY_REMOVE, 0, 2, leaver.hash, 0, 0, leaver.id};
    must(sc3_chunk_put(&w, &e));
    sent++;
  }
  give_chunk(fold, &w);
  sc3_night_close(n);
  say("night: taken out, staged", sent);
  return sent;
}

int main(int argc, char **argv) {
  static state s;
  sc3_fold *fold;
  uint64_t sent, bytes = 0;
  size_t part;
  s.ids = argc > 1 ? strtoull(argv[1], NULL, 10) : 10000000;
  s.bits = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 8;
  s.folder = argc > 3 ? argv[3] : "/tmp";
  s.file = tmpfile();
  if (s.file == NULL)
    return 1;
  sc3_row_key_init(&s.key, sc3_sip_read_key((const unsigned char *)"0123456789abcdef"),
                   sc3_slice_of("", 0));
  (void)cpu_since();
  load(&s);
  for (part = 0; part < (size_t)1 << s.bits; part++)
    bytes += (uint64_t)s.size[part];
  printf("state: %.1f MB, %.1f B an id\n", (double)bytes / 1e6, (double)bytes / (double)s.ids);
  fold = new_fold(&s);
  sent = night(&s, fold);
  fold_into(&s, fold);
  sc3_fold_close(fold);
  say("fold: of what was sent", sent);
  (void)fclose(s.file);
  free(s.blob);
  return 0;
}
