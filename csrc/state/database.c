#include "database.h"

#if SQLITE_VERSION_NUMBER < 3034000
#error                                                                                             \
    "scope3.state needs SQLite 3.34 or newer; without its headers the build leaves this module out"
#endif

#include <limits.h>
#include <string.h>

void sc3_database_init(sc3_database *d) {
  d->files.lock = -1;
}

int sc3_database_mine(const sc3_database *d) {
  return sc3_fork_mark_mine(&d->mark);
}

/* What a number of the system's says; else what is said without one. */
static const char *system_message(const sc3_database *d, const char *otherwise) {
  const int error = d->handle != NULL ? sqlite3_system_errno(d->handle) : 0;
  return error != 0 ? strerror(error) : otherwise;
}

sc3_state_fault sc3_database_fault(const sc3_database *d, int status) {
  sc3_state_fault fault = {NULL, "unusable"};
  switch (status & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE: fault.code = NULL; return fault;
    case SQLITE_NOMEM:
      fault.code = "memory";
      fault.message = "not enough memory";
      return fault;
    case SQLITE_FULL:
      fault.code = "full";
      fault.message = "the disk is full";
      return fault;
    case SQLITE_IOERR:
      fault.code = "io";
      fault.message = system_message(d, "the disk has failed");
      return fault;
    case SQLITE_CORRUPT:
      fault.code = "damaged";
      fault.message = "it is damaged";
      return fault;
    case SQLITE_NOTADB:
      fault.code = "foreign";
      fault.message = "it is no database of SQLite";
      return fault;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
      fault.code = "busy";
      fault.message = "it is in use by another process";
      return fault;
    case SQLITE_CANTOPEN: fault.message = system_message(d, "it cannot be opened"); return fault;
    default: fault.message = sqlite3_errstr(status & 0xff); return fault;
  }
}

/* A file may name whatever its writer liked. None of it runs. */
static int forbid(sqlite3 *handle) {
  static const struct {
    int option, on;
  } OPTIONS[] = {
      {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
      {SQLITE_DBCONFIG_DEFENSIVE, 1},
      {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
      {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
      {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
      {SQLITE_DBCONFIG_DQS_DDL, 0},
      {SQLITE_DBCONFIG_DQS_DML, 0},
  };
  size_t i;
  for (i = 0; i < sizeof OPTIONS / sizeof OPTIONS[0]; i++) {
    const int status = sqlite3_db_config(handle, OPTIONS[i].option, OPTIONS[i].on, NULL);
    if (status != SQLITE_OK)
      return status;
  }
  return SQLITE_OK;
}

/* A reader needs the locks and the index of the log, so SQLite lets it open all for writing. The
   log of another process is left to that: without this, the last reader would move it into the
   file. */
static int only_read(sqlite3 *handle, int has_log) {
  int status = sqlite3_exec(handle, "PRAGMA query_only = ON", NULL, NULL, NULL);
  if (status == SQLITE_OK && has_log)
    status = sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
  return status;
}

sc3_state_fault sc3_database_open(sc3_database *d, const char *path, sc3_database_use use) {
  sc3_state_fault fault;
  int status;
  sc3_fork_mark_set(&d->mark);
  fault.message =
      use == SC3_DATABASE_READ
          ? sc3_state_files_find(&d->files, path, &fault.code)
          : sc3_state_files_take(&d->files, path, use == SC3_DATABASE_CREATE, &fault.code);
  if (fault.message != NULL)
    return fault;
  status = sqlite3_initialize();
  /* A Lua state belongs to one thread at a time, and so does what it made. */
  if (status == SQLITE_OK)
    status = sqlite3_open_v2(d->files.path, &d->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
                             NULL);
  if (status == SQLITE_OK)
    status = forbid(d->handle);
  if (status == SQLITE_OK && use == SC3_DATABASE_READ)
    status = only_read(d->handle, d->files.has_log);
  fault = sc3_database_fault(d, status);
  if (fault.message == NULL)
    fault.message = sc3_state_files_check(&d->files, &fault.code);
  return fault;
}

void sc3_database_close(sc3_database *d) {
  const int mine = sc3_database_mine(d);
  size_t i;
  /* What a child finalizes or closes would be the parent's locks and log: it leaves its copy. */
  for (i = 0; mine && i < SC3_STATEMENTS; i++)
    (void)sqlite3_finalize(d->kept[i].compiled);
  if (mine)
    (void)sqlite3_close(d->handle);
  memset(d->kept, 0, sizeof d->kept);
  d->handle = NULL;
  sc3_state_files_leave(&d->files, mine);
  sc3_fork_mark_clear(&d->mark);
}

static sc3_statement *find(sc3_database *d, const char *sql, size_t n) {
  size_t i;
  for (i = 0; i < SC3_STATEMENTS; i++) {
    const char *known = d->kept[i].compiled != NULL ? sqlite3_sql(d->kept[i].compiled) : NULL;
    if (known != NULL && !d->kept[i].used && strlen(known) == n && memcmp(known, sql, n) == 0)
      return &d->kept[i];
  }
  return NULL;
}

/* A place for a statement: an empty one, else that of the oldest that is not used; NULL where all
   are. */
static sc3_statement *place(sc3_database *d) {
  size_t i;
  for (i = 0; i < SC3_STATEMENTS; i++) {
    sc3_statement *it = &d->kept[(d->oldest + i) % SC3_STATEMENTS];
    if (it->used)
      continue;
    d->oldest = (d->oldest + i + 1) % SC3_STATEMENTS;
    (void)sqlite3_finalize(it->compiled);
    it->compiled = NULL;
    return it;
  }
  return NULL;
}

sqlite3_stmt *sc3_database_prepare(sc3_database *d, const char *sql, size_t n, int *status) {
  sc3_statement *it = find(d, sql, n);
  *status = SQLITE_OK;
  if (it == NULL) {
    sqlite3_stmt *compiled = NULL;
    *status = n < INT_MAX ? sqlite3_prepare_v3(d->handle, sql, (int)n, SQLITE_PREPARE_PERSISTENT,
                                               &compiled, NULL)
                          : SQLITE_TOOBIG;
    if (*status == SQLITE_OK && compiled == NULL)
      *status = SQLITE_MISUSE; /* a comment, or nothing */
    if (*status != SQLITE_OK)
      return NULL;
    it = place(d);
    if (it == NULL)
      return compiled;
    it->compiled = compiled;
  }
  it->used = 1;
  return it->compiled;
}

void sc3_database_release(sc3_database *d, sqlite3_stmt *statement) {
  size_t i;
  (void)sqlite3_reset(statement);
  (void)sqlite3_clear_bindings(statement);
  for (i = 0; i < SC3_STATEMENTS; i++) {
    if (d->kept[i].compiled == statement) {
      d->kept[i].used = 0;
      return;
    }
  }
  (void)sqlite3_finalize(statement);
}

int sc3_database_read_blob(sc3_database *d, const char *table, const char *column,
                           sqlite3_int64 row, sc3_buffer *to) {
  sqlite3_blob *blob = NULL;
  int status = sqlite3_blob_open(d->handle, "main", table, column, row, 0, &blob);
  if (status == SQLITE_OK) {
    const int n = sqlite3_blob_bytes(blob);
    if (sc3_buffer_reserve(to, (size_t)n) != SC3_OK)
      status = SQLITE_NOMEM;
    else
      status = sqlite3_blob_read(blob, to->p, n, 0);
    if (status == SQLITE_OK)
      to->n = (size_t)n;
  }
  (void)sqlite3_blob_close(blob);
  return status == SQLITE_ERROR ? SQLITE_CORRUPT : status;
}
