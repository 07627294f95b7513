/* Starts one process and waits for its end: `measure LOG PROGRAM [ARGUMENT]...`.
 *
 * Prints wall time in nanoseconds, peak memory in KiB, user and system time in microseconds (its children's included),
 * and the exit code. The process inherits environment and working directory; its standard error goes to LOG. This
 * program is small so that its own memory, which a new process starts with, does not hide the other's. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static long long micros(struct timeval t) { return t.tv_sec * 1000000LL + t.tv_usec; }

int main(int argc, char **argv) {
    if (argc < 3) {
        fprintf(stderr, "measure LOG PROGRAM [ARGUMENT]...\n");
        return 2;
    }
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    int log = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (null < 0 || log < 0) {
        fprintf(stderr, "measure: %s\n", strerror(errno));
        return 2;
    }
    struct rusage usage;
    int status = 0;
    long long begun = now();
    pid_t child = vfork();
    if (child == 0) {
        dup2(null, 0);
        dup2(null, 1);
        dup2(log, 2);
        execv(argv[2], argv + 2);
        _exit(127);
    }
    if (child < 0 || wait4(child, &status, 0, &usage) != child) {
        fprintf(stderr, "measure: %s\n", strerror(errno));
        return 2;
    }
    long long ended = now();
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    long long user = micros(usage.ru_utime), system = micros(usage.ru_stime);
    printf("%lld %ld %lld %lld %d\n", ended - begun, usage.ru_maxrss, user, system, code);
    return 0;
}
