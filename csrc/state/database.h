/* A SQLite database that this process alone writes to, or only reads beside one that does, and its
 * prepared statements. Knows no Lua.
 *
 * The files are this user's alone (files.h). Extensions, triggers, views and functions that the
 * file itself names are off: its schema may come from a stranger. Nothing is waited for: what is in
 * use is said to be. */
#ifndef SC3_STATE_DATABASE_H
#define SC3_STATE_DATABASE_H

#include <sqlite3.h>
#include <stddef.h>

#include "../core/bytes/buffer.h"
#include "../core/files/fork_mark.h"
#include "files.h"

enum { SC3_STATEMENTS = 40 }; /* that are kept; more than the policy has */

typedef struct sc3_statement {
  sqlite3_stmt *compiled; /* NULL = none */
  int used;               /* between sc3_database_prepare() and sc3_database_release() */
} sc3_statement;

typedef struct sc3_database {
  sqlite3 *handle; /* NULL = closed */
  sc3_state_files files;
  sc3_fork_mark mark; /* set while it is open: a child must not touch what its parent writes */
  sc3_statement kept[SC3_STATEMENTS];
  size_t oldest; /* of those: it goes first */
} sc3_database;

/* What failed: `message` is NULL where nothing did. Neither text holds SQL nor a value. */
typedef struct sc3_state_fault {
  const char *message;
  const char *code;
} sc3_state_fault;

/* Marks as closed what is zeroed. */
void sc3_database_init(sc3_database *d);

typedef enum sc3_database_use {
  SC3_DATABASE_WRITE,
  SC3_DATABASE_CREATE,
  SC3_DATABASE_READ
} sc3_database_use;

/* Opens the database of that name, and makes an empty one for SC3_DATABASE_CREATE where there is
   none. For SC3_DATABASE_READ nothing is written, and another process may have it: what it writes
   stays in its log, also where that process has died. */
sc3_state_fault sc3_database_open(sc3_database *d, const char *path, sc3_database_use use);

/* Gives everything back, also after a failed sc3_database_open(). Idempotent. No statement is in
   use. */
void sc3_database_close(sc3_database *d);

/* Whether this process may use it: not a child of the one that opened it. */
int sc3_database_mine(const sc3_database *d);

/* The only statement of a text, compiled now or before; NULL and SQLite's status in `*status` where
   it cannot be. Each is released. One that is asked for again while it is used is compiled anew. */
sqlite3_stmt *sc3_database_prepare(sc3_database *d, const char *sql, size_t n, int *status);
void sc3_database_release(sc3_database *d, sqlite3_stmt *statement);

/* Reads the blob of a row, which has that number, into the empty buffer `to`. SQLITE_CORRUPT where
   there is none; else SQLite's status. */
int sc3_database_read_blob(sc3_database *d, const char *table, const char *column,
                           sqlite3_int64 row, sc3_buffer *to);

/* What a status of SQLite means, just after it was given. */
sc3_state_fault sc3_database_fault(const sc3_database *d, int status);

#endif
