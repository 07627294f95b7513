/* Every hook command of Juju, by the name under which it is started: a plausible constant as JSON, and no work.
 *
 * If BENCH_COUNT names a file, the command's name is appended to it; no measured run sets it. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *command, *answer;
} answers[] = {
    {"action-get", "{}\n"},
    {"config-get", "{}\n"},
    {"goal-state", "{\"units\":{},\"relations\":{}}\n"},
    {"is-leader", "true\n"},
    {"leader-get", "{}\n"},
    {"network-get", "{\"bind-addresses\":[],\"egress-subnets\":[],\"ingress-addresses\":[\"10.0.0.1\"]}\n"},
    {"relation-get", "{}\n"},
    {"relation-ids", "[]\n"},
    {"relation-list", "[]\n"},
    {"state-get", "{}\n"},
    {"status-get", "{\"message\":\"\",\"status\":\"active\",\"status-data\":{}}\n"},
    {"unit-get", "\"10.0.0.1\"\n"},
};

static int say(int fd, const char *text) {
    size_t length = strlen(text);
    return write(fd, text, length) == (ssize_t)length ? 0 : 1;
}

int main(int argc, char **argv) {
    (void)argc;
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
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
        if (strcmp(name, answers[i].command) == 0)
            return say(1, answers[i].answer);
    return 0;
}
