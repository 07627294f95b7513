/* What a hook has to do with the store in any language, and nothing else: `floor read|write FILE`.
 *
 * `read` opens the file and reads all rows of the table kv. `write` also writes three of them and commits, with the
 * rollback journal and full synchronisation, as charmhelpers does. */
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

static int failed(sqlite3 *db, const char *what) {
    fprintf(stderr, "%s: %s\n", what, db ? sqlite3_errmsg(db) : "no memory");
    return 1;
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "floor read|write FILE\n");
        return 2;
    }
    int writes = strcmp(argv[1], "write") == 0;
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    int rows = 0, length = 0;
    if (sqlite3_open_v2(argv[2], &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
        return failed(db, "open");
    if (sqlite3_prepare_v2(db, "select key, data from kv", -1, &statement, NULL) != SQLITE_OK)
        return failed(db, "select");
    while (sqlite3_step(statement) == SQLITE_ROW) {
        rows++;
        length += sqlite3_column_bytes(statement, 0) + (int)strlen((const char *)sqlite3_column_text(statement, 1));
    }
    if (sqlite3_finalize(statement) != SQLITE_OK)
        return failed(db, "rows");
    if (rows != 100 || length == 0) {
        fprintf(stderr, "%d rows instead of 100\n", rows);
        return 1;
    }
    if (writes) {
        if (sqlite3_exec(db, "pragma synchronous = full; begin immediate", NULL, NULL, NULL) != SQLITE_OK)
            return failed(db, "begin");
        const char *insert = "insert or replace into kv (key, data) values (?1, ?2)";
        if (sqlite3_prepare_v2(db, insert, -1, &statement, NULL) != SQLITE_OK)
            return failed(db, "insert");
        for (int i = 0; i < 3; i++) {
            char key[32];
            snprintf(key, sizeof key, "reactive.states.new.%d", i);
            sqlite3_bind_text(statement, 1, key, -1, SQLITE_TRANSIENT);
            sqlite3_bind_text(statement, 2, "null", -1, SQLITE_STATIC);
            if (sqlite3_step(statement) != SQLITE_DONE || sqlite3_reset(statement) != SQLITE_OK)
                return failed(db, "row");
        }
        sqlite3_finalize(statement);
        if (sqlite3_exec(db, "commit", NULL, NULL, NULL) != SQLITE_OK)
            return failed(db, "commit");
    }
    return sqlite3_close(db) == SQLITE_OK ? 0 : failed(db, "close");
}
