"""dispatch_in_process.py CASE N RUNS TRACER: what bench-dispatch does, on charms.reactive; nanoseconds, a line each.

TRACER is `log`, its default, or `null`. What it would log is thrown away, and nothing is committed.
"""
import os
import sys
import tempfile
import time

import charmhelpers.osplatform

charmhelpers.osplatform.get_platform = lambda: "ubuntu"

from charmhelpers.core import hookenv, unitdata  # noqa: E402

hookenv.log = lambda *args, **kwargs: None

from charms.reactive import bus, set_flag, trace, when  # noqa: E402

MOST_ROUNDS = 100


def main():
    case, n, runs, tracer = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    calls = []
    names = {"when": when, "set_flag": set_flag, "calls": calls}
    # charms.reactive tells handlers apart by file, line and name, so each one stands in a line of its own.
    action = "set_flag('flag.{next}')" if case == "chain" else "None"
    line = "when('flag.{i}')(lambda: (calls.append({i}), " + action + "))\n"
    exec(compile("".join(line.format(i=i, next=i + 1) for i in range(n)), "reactive/handlers.py", "exec"), names)
    named = {"all": ("flag", n), "none": ("other", n), "chain": ("flag", 1)}[case]
    flags = ["%s.%d" % (named[0], i) for i in range(named[1])]
    expected = {"all": n, "none": 0, "chain": min(n, MOST_ROUNDS)}[case]
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as directory:
            unitdata._KV = unitdata.Storage(os.path.join(directory, "store.db"))
            trace.install_tracer(trace.NullTracer())
            unitdata.kv().update(dict.fromkeys(flags), prefix="reactive.states.")
            trace.install_tracer(trace.LogTracer() if tracer == "log" else trace.NullTracer())
            calls.clear()
            begun = time.perf_counter_ns()
            bus.dispatch()
            print(time.perf_counter_ns() - begun, flush=True)
            if len(calls) != expected:
                sys.exit("%d handlers ran instead of %d" % (len(calls), expected))
            unitdata._KV.close()


os.environ.setdefault("JUJU_HOOK_NAME", "update-status")
os.environ.setdefault("JUJU_CHARM_DIR", os.getcwd())
main()
