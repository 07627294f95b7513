/* What a hook has to do with the store and with Juju in any language, and nothing else:
 * `floor read|write FILE [HOOK-COMMAND]...`.
 *
 * `read` opens the file and reads all rows of the table kv; then the hook commands are started one after the other, and
 * what each prints is read. `write` also writes three rows and commits, with the rollback journal and full
 * synchronisation, as charmhelpers does. */
#include <spawn.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static int failed(sqlite3 *db, const char *what) {
    fprintf(stderr, "%s: %s\n", what, db ? sqlite3_errmsg(db) : "no memory");
    return 1;
}

/* Starts a hook command and reads what it prints; whether it did. */
static int asks(char *command) {
    int ends[2];
    posix_spawn_file_actions_t actions;
    if (pipe(ends) != 0 || posix_spawn_file_actions_init(&actions) != 0)
        return 0;
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    posix_spawn_file_actions_addclose(&actions, ends[1]);
    char *arguments[] = {command, NULL};
    pid_t child;
    int failed = posix_spawnp(&child, command, &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    char answer[4096];
    while (!failed && read(ends[0], answer, sizeof answer) > 0)
        ;
    close(ends[0]);
    int status = 1;
    return !failed && waitpid(child, &status, 0) == child && status == 0;
}

int main(int argc, char **argv) {
    if (argc < 3) {
        fprintf(stderr, "floor read|write FILE [HOOK-COMMAND]...\n");
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
    for (int i = 3; i < argc; i++)
        if (!asks(argv[i])) {
            fprintf(stderr, "%s has failed\n", argv[i]);
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
