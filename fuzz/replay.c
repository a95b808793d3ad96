/* Feeds files to a target of libFuzzer without libFuzzer: any compiler builds it. Prints how many,
 * and at a crash which one it was.
 *
 *   replay FOLDER-OR-FILE... */
#include <dirent.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));

enum { INPUT_MAX = 1 << 20, PATH_LONGEST = 4096 };

static char path[PATH_LONGEST]; /* of the input that is being fed */

/* Sanitizers abort, too: see ASAN_OPTIONS in fuzz/replay.sh. */
static void on_abort(int number) {
  (void)write(2, path, strlen(path));
  (void)write(2, ": crashed\n", 10);
  (void)signal(number, SIG_DFL);
  (void)raise(number);
}

/* A copy of its own size, so that a read past its end is seen. */
static int feed_file(void) {
  static uint8_t bytes[INPUT_MAX];
  FILE *file = fopen(path, "rb");
  uint8_t *copy;
  size_t n;
  if (file == NULL)
    return 0;
  n = fread(bytes, 1, sizeof bytes, file);
  (void)fclose(file);
  copy = malloc(n > 0 ? n : 1);
  if (copy == NULL)
    return 0;
  memcpy(copy, bytes, n);
  (void)LLVMFuzzerTestOneInput(copy, n);
  free(copy);
  return 1;
}

/* The number of inputs of a folder. */
static unsigned feed_folder(const char *name) {
  struct dirent **entries;
  unsigned fed = 0;
  int i, n = scandir(name, &entries, NULL, alphasort);
  if (n < 0) {
    (void)snprintf(path, sizeof path, "%s", name);
    return (unsigned)feed_file();
  }
  for (i = 0; i < n; i++) {
    if (entries[i]->d_name[0] != '.') {
      (void)snprintf(path, sizeof path, "%s/%s", name, entries[i]->d_name);
      fed += (unsigned)feed_file();
    }
    free(entries[i]);
  }
  free(entries);
  return fed;
}

int main(int argc, char **argv) {
  unsigned fed = 0;
  int i;
  (void)signal(SIGABRT, on_abort);
  if (LLVMFuzzerInitialize != NULL)
    (void)LLVMFuzzerInitialize(&argc, &argv);
  for (i = 1; i < argc; i++)
    fed += feed_folder(argv[i]);
  printf("%u inputs\n", fed);
  return fed > 0 ? 0 : 1;
}
