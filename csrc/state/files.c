#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* What stands behind the name of a database in those of the files beside it. */
static const char LOCK[] = "-lock";
static const char *const BESIDE[] = {"-wal", "-shm", "-journal", LOCK};

enum { SUFFIX = 9, TRIES = 16 };

typedef char long_name[PATH_MAX + SUFFIX];

static void name_beside(long_name name, const sc3_state_files *f, const char *suffix) {
  (void)snprintf(name, sizeof(long_name), "%s%s", f->path, suffix);
}

/* The path as an absolute one. So it is no address (file:) to SQLite, and no ":memory:". */
static const char *set_path(sc3_state_files *f, const char *path) {
  size_t before = 0;
  if (path[0] != '/') {
    if (getcwd(f->path, sizeof f->path - 1) == NULL)
      return strerror(errno);
    before = strlen(f->path);
    f->path[before++] = '/';
  }
  if (strlen(path) >= sizeof f->path - SUFFIX - before)
    return strerror(ENAMETOOLONG);
  memcpy(f->path + before, path, strlen(path) + 1);
  return NULL;
}

/* Why what lies there is not this user's alone; NULL when it is. */
static const char *unsafe(const struct stat *file) {
  if (S_ISLNK(file->st_mode))
    return "it is a symbolic link: give the name of the file itself";
  if (!S_ISREG(file->st_mode))
    return "it is not a regular file";
  if (file->st_uid != geteuid())
    return "it belongs to another user";
  return (file->st_mode & (S_IRWXG | S_IRWXO)) != 0 ? "other users may open it: chmod 600" : NULL;
}

static int is_same(const struct stat *one, const struct stat *other) {
  return one->st_dev == other->st_dev && one->st_ino == other->st_ino;
}

/* Looks at the files beside the database. Without one there is nothing to say. */
static const char *check_beside(const sc3_state_files *f, const char **code) {
  size_t i;
  for (i = 0; i < sizeof BESIDE / sizeof BESIDE[0]; i++) {
    long_name name;
    struct stat file;
    const char *why;
    name_beside(name, f, BESIDE[i]);
    why = lstat(name, &file) == 0 ? unsafe(&file) : NULL;
    if (why != NULL) {
      *code = "unsafe";
      return why;
    }
  }
  return NULL;
}

/* The lock is taken on the file that its name means: whoever gives it back removes the file. */
static const char *lock(sc3_state_files *f, const char **code) {
  long_name name;
  struct stat held, named;
  int tries;
  name_beside(name, f, LOCK);
  for (tries = 0; tries < TRIES; tries++) {
    f->lock =
        open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, (mode_t)0600);
    if (f->lock < 0) {
      *code = errno == ENOENT ? "missing" : NULL; /* its folder */
      return strerror(errno);
    }
    if (flock(f->lock, LOCK_EX | LOCK_NB) != 0) {
      *code = errno == EWOULDBLOCK ? "locked" : NULL;
      return errno == EWOULDBLOCK ? "it is in use by another process" : strerror(errno);
    }
    if (fstat(f->lock, &held) == 0 && lstat(name, &named) == 0 && is_same(&held, &named))
      return NULL;
    (void)close(f->lock);
    f->lock = -1;
  }
  *code = "locked";
  return "its lock keeps changing";
}

/* Makes an empty database. Its descriptor is closed before SQLite has any. */
static const char *make(const sc3_state_files *f) {
  const int fd =
      open(f->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, (mode_t)0600);
  if (fd < 0)
    return strerror(errno);
  (void)fchmod(fd, (mode_t)0600); /* a mask may take more away than others' rights */
  (void)close(fd);
  return NULL;
}

/* Notes which file it is. */
static const char *note(sc3_state_files *f, const char **code) {
  struct stat file, log;
  long_name name;
  const char *why;
  if (lstat(f->path, &file) != 0)
    return strerror(errno);
  name_beside(name, f, BESIDE[0]);
  f->has_log = lstat(name, &log) == 0;
  f->device = file.st_dev;
  f->inode = file.st_ino;
  why = unsafe(&file);
  if (why == NULL && file.st_nlink > 1) /* its lock and its log are found by the name */
    why = "it has another name, too (a hard link), by which another process may use it";
  *code = why != NULL ? "unsafe" : NULL;
  return why;
}

static const char *take(sc3_state_files *f, int create, const char **code) {
  struct stat file;
  const char *why;
  const int there = lstat(f->path, &file) == 0;
  if (!there && (errno != ENOENT || !create)) {
    *code = errno == ENOENT ? "missing" : NULL;
    return strerror(errno);
  }
  if ((why = check_beside(f, code)) != NULL || (why = lock(f, code)) != NULL)
    return why;
  if (!there && lstat(f->path, &file) != 0 && (why = make(f)) != NULL)
    return why;
  return note(f, code);
}

const char *sc3_state_files_take(sc3_state_files *f, const char *path, int create,
                                 const char **code) {
  const char *why;
  *code = NULL;
  why = set_path(f, path);
  return why != NULL ? why : take(f, create, code);
}

const char *sc3_state_files_find(sc3_state_files *f, const char *path, const char **code) {
  struct stat file;
  const char *why;
  *code = NULL;
  why = set_path(f, path);
  if (why == NULL && lstat(f->path, &file) != 0) {
    *code = errno == ENOENT ? "missing" : NULL;
    why = strerror(errno);
  }
  if (why == NULL)
    why = check_beside(f, code);
  return why != NULL ? why : note(f, code);
}

const char *sc3_state_files_check(const sc3_state_files *f, const char **code) {
  struct stat named;
  *code = "moved";
  if (lstat(f->path, &named) != 0)
    return "it was moved or removed";
  if (named.st_dev != f->device || named.st_ino != f->inode)
    return "it was moved, and another file has its name";
  return NULL;
}

void sc3_state_files_leave(sc3_state_files *f, int mine) {
  long_name name;
  struct stat held, named;
  if (f->lock < 0)
    return;
  name_beside(name, f, LOCK);
  /* One that was refused has a lock that is another's. */
  if (mine && flock(f->lock, LOCK_EX | LOCK_NB) == 0 && fstat(f->lock, &held) == 0 &&
      lstat(name, &named) == 0 && is_same(&held, &named))
    (void)unlink(name);
  (void)close(f->lock);
  f->lock = -1;
}
