"""on_scenario.py RUNS: what `bench-scenario unit` does, on ops and ops-scenario; for each story the nanoseconds and its hooks.

The charm is as large as the one in scenario/src/ten.rs: ten observers, one of them due in each hook.
"""
import dataclasses
import logging
import sys
import time

import ops
from ops import testing

META = {"name": "bench", "peers": {"quorum": {"interface": "quorum"}}}
CONFIG = {"options": {"tick-time": {"type": "int", "default": 2000}}}
HOOKS = 20


class Ten(ops.CharmBase):
    stored = ops.StoredState()

    def __init__(self, framework):
        super().__init__(framework)
        self.stored.set_default(counts={}, met=[])
        on = self.on
        framework.observe(on.install, self._on_install)
        framework.observe(on.leader_elected, self._on_leader_elected)
        framework.observe(on.config_changed, self._on_config_changed)
        framework.observe(on.start, self._on_start)
        framework.observe(on.quorum_relation_joined, self._on_joined)
        framework.observe(on.quorum_relation_changed, self._on_changed)
        framework.observe(on.quorum_relation_departed, self._on_departed)
        framework.observe(on.update_status, self._on_update_status)
        framework.observe(on.upgrade_charm, self._on_upgrade_charm)
        framework.observe(on.stop, self._on_stop)

    def _count(self, name):
        times = self.stored.counts.get(name, 0) + 1
        self.stored.counts[name] = times
        self.unit.status = ops.ActiveStatus("%s %d" % (name, times))

    def _meet(self, event):
        address = event.relation.data[event.unit].get("ingress-address")
        if address and address not in self.stored.met:
            self.stored.met.append(address)
        event.relation.data[self.unit]["met"] = " ".join(self.stored.met)

    def _on_install(self, _):
        self._count("install")

    def _on_leader_elected(self, _):
        self._count("leader_elected")

    def _on_config_changed(self, _):
        self._count("config_changed")

    def _on_start(self, _):
        self._count("start")

    def _on_joined(self, event):
        self._meet(event)
        self._count("joined")

    def _on_changed(self, event):
        self._meet(event)
        self._count("changed")

    def _on_departed(self, _):
        self._count("departed")

    def _on_update_status(self, _):
        self._count("update_status")

    def _on_upgrade_charm(self, _):
        self._count("upgrade_charm")

    def _on_stop(self, _):
        self._count("stop")


class Story:
    """One unit, hook by hook: state in, one event, state out."""

    def __init__(self):
        self.context = testing.Context(Ten, meta=META, config=CONFIG)
        self.state = testing.State(relations={testing.PeerRelation("quorum", id=0)})
        self.hooks = 0

    def run(self, event):
        self.state = self.context.run(event, self.state)
        self.hooks += 1

    def quorum(self):
        return self.state.get_relation(0)

    def put_quorum(self, peers):
        self.change(relations={dataclasses.replace(self.quorum(), peers_data=peers)})

    def change(self, **what):
        self.state = dataclasses.replace(self.state, **what)

    def play(self):
        on = self.context.on
        self.run(on.install())
        self.change(leader=True)
        for event in on.leader_elected, on.config_changed, on.start:
            self.run(event())
        peers = {}
        for number in 1, 2:
            peers = {**peers, number: {"ingress-address": "10.0.0.%d" % number}}
            self.put_quorum(peers)
            self.run(on.relation_joined(self.quorum(), remote_unit=number))
            self.run(on.relation_changed(self.quorum(), remote_unit=number))
        for _ in range(5):
            self.run(on.update_status())
        for tick_time in 1, 2, 3:
            self.change(config={"tick-time": tick_time})
            self.run(on.config_changed())
        self.run(on.upgrade_charm())
        for number in 1, 2:
            self.run(on.relation_departed(self.quorum(), remote_unit=number, departing_unit=number))
        self.run(on.stop())

    def check(self):
        stored = self.state.get_stored_state("stored", owner_path="Ten")
        counted = sum(stored.content["counts"].values())
        met = self.quorum().local_unit_data.get("met")
        if (self.hooks, counted, met) != (HOOKS, HOOKS, "10.0.0.1 10.0.0.2"):
            sys.exit("the story has ended wrongly: %d of %d hooks, %s" % (counted, self.hooks, met))


def main():
    logging.disable(logging.CRITICAL)
    for _ in range(int(sys.argv[1])):
        story = Story()
        begun = time.perf_counter_ns()
        story.play()
        print(time.perf_counter_ns() - begun, story.hooks, flush=True)
        story.check()


main()
