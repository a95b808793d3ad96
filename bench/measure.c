/* Runs a program and says what it took:  measure FILE PROGRAM ARGUMENTS…
 * FILE gets "user seconds, system seconds, peak resident kB, exit status, seconds by the clock" on
 * one line. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(struct timeval t) {
  return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
  struct rusage used;
  int status = 0;
  FILE *f;
  pid_t child;
  double started = now(), took;
  if (argc < 3) {
    fputs("measure FILE PROGRAM ARGUMENTS...\n", stderr);
    return 2;
  }
  child = fork();
  if (child == 0) {
    execvp(argv[2], argv + 2);
    perror(argv[2]);
    _exit(127);
  }
  if (child < 0 || wait4(child, &status, 0, &used) != child) {
    perror("measure");
    return 1;
  }
  took = now() - started;
  f = fopen(argv[1], "w");
  if (f == NULL) {
    perror(argv[1]);
    return 1;
  }
  fprintf(f, "%.6f %.6f %ld %d %.6f\n", seconds(used.ru_utime), seconds(used.ru_stime),
          used.ru_maxrss, WIFEXITED(status) ? WEXITSTATUS(status) : 128, took);
  return fclose(f) == 0 ? 0 : 1;
}
