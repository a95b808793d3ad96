/* What a kill leaves behind, at every instruction: runs an operation on a spool one machine
 * instruction at a time, and opens a copy of each state that the file was in. Linux alone.
 * spool_steps FOLDER Prints a line an operation; ends with 0 when all held, 1 with what did not, 77
 * where one process may not trace another. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../csrc/core/files/spool.h"

enum { SMALL = SC3_SPOOL_LEAST_CAPACITY, LARGE = 3 << 20, FILE_MAX = LARGE };

static char live_path[4096], copy_path[4096];

static void fail(const char *what, long n) {
  printf("%s (%ld)\n", what, n);
  exit(1);
}

static void need(int ok, const char *what) {
  if (!ok)
    fail(what, errno);
}

/* A payload of the members `from`..`to`, every third a removal; `wide` pads each to that many
 * bytes. */
static sc3_payload *make_payload(int from, int to, int wide) {
  sc3_payload *p = sc3_payload_new(100000, 100 << 20);
  char text[2048];
  for (; from <= to; from++) {
    int n = snprintf(text, sizeof text, "{\"externalId\":\"%0*d\"},", wide, from);
    const sc3_new_member member = {from % 3 == 0 ? SC3_REMOVE : SC3_ADD,
                                   0,
                                   sc3_slice_of(text, (size_t)n),
                                   (size_t)wide,
                                   (uint64_t)from,
                                   {0, 0, 0, 0}};
    need(sc3_payload_add(p, &member) == SC3_ADDED, "a payload cannot be made");
  }
  return p;
}

static void keep(sc3_spool *s, int from, int to, int wide) {
  sc3_payload *p = make_payload(from, to, wide);
  const sc3_spool_batch batch = {p, 0, sc3_payload_count(p), (uint64_t)from, {NULL, 0}};
  sc3_spool_status status = sc3_spool_keep(s, &batch);
  if (status != SC3_SPOOL_OK)
    fail(sc3_spool_describe(status, errno), from);
  sc3_payload_free(p);
}

static sc3_spool *open_spool(const char *path, size_t capacity) {
  sc3_spool *s;
  sc3_spool_status status = sc3_spool_open(&s, path, capacity);
  if (status != SC3_SPOOL_OK)
    fail(sc3_spool_describe(status, errno), 0);
  return s;
}

/* The number of a member, which is its id; -1 where that is none. */
static int number_of(sc3_slice packed) {
  sc3_packed parts;
  char id[2048];
  int number;
  if (!sc3_packed_read(packed, &parts) || parts.email != NULL || parts.phone != NULL ||
      parts.uids.p != NULL || parts.id.n >= sizeof id)
    return -1;
  memcpy(id, parts.id.p, parts.id.n);
  id[parts.id.n] = '\0';
  return sscanf(id, "%d", &number) == 1 ? number : -1;
}

/* How many members there are; each must be the one of its place, counted on from `first`. */
static long read_all(sc3_spool *s, int first) {
  sc3_spool_cursor cursor = {0, 0, 0};
  long n = 0;
  for (;; n++) {
    sc3_spool_record r;
    int number;
    need(sc3_spool_next(s, &cursor, &r) == SC3_SPOOL_OK, "reading failed");
    if (r.packed.p == NULL)
      break;
    number = number_of(r.packed);
    if (number < 0)
      fail("what was read is no member", n);
    if (number != first + n || (number % 3 == 0 ? SC3_REMOVE : SC3_ADD) != r.op)
      fail("a member is not the one that was kept there", number);
  }
  if (n != (long)sc3_spool_count(s))
    fail("the count is not that of the members", n);
  if (sc3_spool_lost(s) != 0)
    fail("members are lost that nobody was told of", (long)sc3_spool_lost(s));
  return n;
}

/* One operation: what is done before the first step, and what is done in steps. */
typedef struct operation {
  const char *name;
  size_t capacity;
  int wide;
  long before, after; /* members; the two that may be found on the way */
  sc3_spool *(*prepare)(const struct operation *o);
  sc3_spool *(*act)(const struct operation *o, sc3_spool *s);
} operation;

static sc3_spool *prepare_nothing(const operation *o) {
  (void)o;
  return NULL;
}

static sc3_spool *act_open(const operation *o, sc3_spool *s) {
  (void)s;
  return open_spool(live_path, o->capacity);
}

static sc3_spool *prepare_members(const operation *o) {
  sc3_spool *s = open_spool(live_path, o->capacity);
  if (o->before > 0)
    keep(s, 1, (int)o->before, o->wide);
  return s;
}

static sc3_payload *to_keep;

static sc3_spool *act_keep(const operation *o, sc3_spool *s) {
  const sc3_spool_batch batch = {to_keep, 0, sc3_payload_count(to_keep), 0, {NULL, 0}};
  (void)o;
  need(sc3_spool_keep(s, &batch) == SC3_SPOOL_OK, "keep failed");
  return s;
}

/* The file of `before` members and of an append that was killed before its last store, with records
 * behind that are whole. */
static sc3_spool *prepare_torn(const operation *o) {
  sc3_spool *s = open_spool(live_path, o->capacity);
  size_t end;
  int fd;
  static const char zero[4];
  char kept[8]; /* the number of the last record, with its check */
  keep(s, 1, (int)o->before, o->wide);
  end = sc3_spool_bytes(s);
  fd = open(live_path, O_RDWR);
  need(fd >= 0 && pread(fd, kept, sizeof kept, 24) == sizeof kept, "a torn file cannot be made");
  keep(s, 100, 104, o->wide);
  sc3_spool_close(s);
  need(pwrite(fd, zero, sizeof zero, (off_t)end) == sizeof zero &&
           pwrite(fd, kept, sizeof kept, 24) == sizeof kept && close(fd) == 0,
       "a torn file cannot be made");
  s = open_spool(live_path, o->capacity);
  if ((long)sc3_spool_count(s) != o->before || sc3_spool_damaged(s) == 0)
    fail("the torn file is none", (long)sc3_spool_count(s));
  return s;
}

static sc3_spool *act_reset(const operation *o, sc3_spool *s) {
  (void)o;
  need(sc3_spool_reset(s) == SC3_SPOOL_OK, "reset failed");
  return s;
}

/* Looks at one state of the file: `n` bytes. */
static long check_state(const operation *o, const char *bytes, size_t n) {
  sc3_spool *s;
  long found;
  int fd = open(copy_path, O_RDWR | O_CREAT | O_TRUNC, 0600);
  need(fd >= 0 && (n == 0 || pwrite(fd, bytes, n, 0) == (ssize_t)n) && close(fd) == 0,
       "a copy cannot be written");
  s = open_spool(copy_path, o->capacity);
  found = read_all(s, 1);
  if (found != o->before && found != o->after)
    fail("neither all nor none of the members were there", found);
  if (found == o->after && found != o->before && sc3_spool_damaged(s) != 0)
    fail("bytes are damaged although all is done", (long)sc3_spool_damaged(s));
  /* What is kept from here on must not bring back what was torn or emptied. */
  keep(s, (int)found + 1, (int)found + 1, o->wide);
  sc3_spool_close(s);
  s = open_spool(copy_path, o->capacity);
  if (read_all(s, 1) != found + 1 || sc3_spool_damaged(s) != 0)
    fail("an append to what was left brought something else with it", (long)sc3_spool_count(s));
  sc3_spool_close(s);
  return found;
}

static void run(const operation *o) {
  static char state[FILE_MAX], last[FILE_MAX];
  size_t last_n = SIZE_MAX;
  long steps = 0, states = 0, found = -1, changes = 0;
  int status, fd = -1;
  pid_t child;
  (void)unlink(live_path);
  to_keep = o->after > o->before ? make_payload((int)o->before + 1, (int)o->after, o->wide) : NULL;
  (void)fflush(stdout);
  child = fork();
  need(child >= 0, "fork failed");
  if (child == 0) {
    sc3_spool *s;
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
      _exit(77);
    s = o->prepare(o);
    (void)raise(SIGSTOP);
    s = o->act(o, s);
    (void)raise(SIGSTOP);
    sc3_spool_close(s);
    _exit(0);
  }
  need(waitpid(child, &status, 0) == child, "waitpid failed");
  if (WIFEXITED(status))
    exit(WEXITSTATUS(status));
  if (!WIFSTOPPED(status) || WSTOPSIG(status) != SIGSTOP)
    exit(77);
  for (;; steps++) {
    struct stat info;
    size_t n = 0;
    if (ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) != 0 || waitpid(child, &status, 0) != child ||
        !WIFSTOPPED(status))
      fail("the child ended before its operation did", steps);
    if (fd < 0)
      fd = open(live_path, O_RDONLY);
    if (fd >= 0) {
      need(fstat(fd, &info) == 0 && info.st_size <= FILE_MAX, "the file cannot be looked at");
      n = (size_t)info.st_size;
      need(pread(fd, state, n, 0) == (ssize_t)n, "the file cannot be read");
      if (n != last_n || memcmp(state, last, n) != 0) {
        long now = check_state(o, state, n);
        changes += found >= 0 && now != found;
        found = now;
        memcpy(last, state, n);
        last_n = n;
        states++;
      }
    }
    if (WSTOPSIG(status) == SIGSTOP) /* raised by the child itself */
      break;
    if (WSTOPSIG(status) != SIGTRAP)
      fail("the child got a signal", WSTOPSIG(status));
  }
  if (found != o->after || changes != (o->before != o->after))
    fail("the operation did not change from none to all in one step", changes);
  need(ptrace(PTRACE_CONT, child, NULL, NULL) == 0 && waitpid(child, &status, 0) == child,
       "the child cannot be ended");
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    fail("the child failed at its end", status);
  (void)close(fd);
  sc3_payload_free(to_keep);
  printf("%s: %ld instructions, %ld states\n", o->name, steps, states);
}

int main(int argc, char **argv) {
  static const operation operations[] = {
      {"open", SMALL, 3, 0, 0, prepare_nothing, act_open},
      {"keep the first", SMALL, 60, 0, 3, prepare_members, act_keep},
      {"keep more", SMALL, 61, 2, 7, prepare_members, act_keep},
      {"keep behind a torn append", SMALL, 60, 2, 4, prepare_torn, act_keep},
      {"reset", SMALL, 60, 9, 0, prepare_members, act_reset},
      {"reset after a torn append", SMALL, 60, 2, 0, prepare_torn, act_reset},
      {"grow", LARGE, 1000, 1030, 1033, prepare_members, act_keep},
  };
  size_t i;
  if (argc != 2)
    return 2;
  (void)snprintf(live_path, sizeof live_path, "%s/live.spool", argv[1]);
  (void)snprintf(copy_path, sizeof copy_path, "%s/copy.spool", argv[1]);
  for (i = 0; i < sizeof operations / sizeof *operations; i++)
    run(&operations[i]);
  (void)unlink(live_path);
  (void)unlink(copy_path);
  return 0;
}
