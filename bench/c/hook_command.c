/* Every hook command of Juju, by the name under which it is started: what a unit of zookeeper could be told, as JSON,
 * and no work.
 *
 * BENCH_PEERS is how many peers there are, without it none; BENCH_KEPT is the context id of the hook before, which Juju
 * has kept. If BENCH_COUNT names a file, the command's name is appended to it; no measured run sets it. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *command, *answer;
} answers[] = {
    {"action-get", "{}\n"},
    {"config-get",
     "{\"autopurge-purge-interval\":24,\"autopurge-snap-retain-count\":3,\"init-limit\":10,\"sync-limit\":5,"
     "\"tick-time\":2000}\n"},
    {"goal-state", "{\"units\":{},\"relations\":{}}\n"},
    {"is-leader", "true\n"},
    {"leader-get", "{}\n"},
    {"network-get", "{\"bind-addresses\":[],\"egress-subnets\":[],\"ingress-addresses\":[\"10.0.0.1\"]}\n"},
    {"relation-get",
     "{\"egress-subnets\":\"10.0.0.2/32\",\"ingress-address\":\"10.0.0.2\",\"private-address\":\"10.0.0.2\"}\n"},
    {"relation-ids", "[\"zkpeer:0\"]\n"},
    {"status-get", "{\"message\":\"\",\"status\":\"active\",\"status-data\":{}}\n"},
    {"unit-get", "\"10.0.0.1\"\n"},
};

static int say(int fd, const char *text) {
    size_t length = strlen(text);
    return write(fd, text, length) == (ssize_t)length ? 0 : 1;
}

static int list_peers(void) {
    const char *text = getenv("BENCH_PEERS");
    int peers = text ? atoi(text) : 0, length = 0;
    char list[4096] = "";
    for (int i = 1; i <= peers && length < (int)sizeof list - 32; i++)
        length += snprintf(list + length, sizeof list - length, "%s\"zookeeper/%d\"", i > 1 ? "," : "", i);
    return say(1, "[") || say(1, list) || say(1, "]\n");
}

static int tell_state(void) {
    const char *kept = getenv("BENCH_KEPT");
    return say(1, "{\"zkpeer.kept\":\"") || say(1, kept ? kept : "") || say(1, "\"}\n");
}

int main(int argc, char **argv) {
    const char *slash = strrchr(argv[0], '/');
    const char *name = slash ? slash + 1 : argv[0];
    const char *count = getenv("BENCH_COUNT");
    if (count) {
        char line[64];
        size_t length = strlen(name);
        int fd = open(count, O_WRONLY | O_CREAT | O_APPEND, 0600);
        if (fd < 0 || length + 2 > sizeof line)
            return 1;
        memcpy(line, name, length);
        memcpy(line + length, "\n", 2);
        if (say(fd, line) != 0)
            return 1;
    }
    if (strcmp(name, "relation-list") == 0)
        return list_peers();
    if (strcmp(name, "state-get") == 0)
        return tell_state();
    for (int i = 1; i < argc && strcmp(name, "relation-get") == 0; i++)
        if (strcmp(argv[i], "private-address") == 0)
            return say(1, "\"10.0.0.2\"\n");
    /* A leader setting by its name: there is none. */
    if (strcmp(name, "leader-get") == 0 && argc > 1 && argv[argc - 1][0] != '-')
        return say(1, "null\n");
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
        if (strcmp(name, answers[i].command) == 0)
            return say(1, answers[i].answer);
    return 0;
}
