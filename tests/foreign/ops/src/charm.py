#!/usr/bin/env python3
"""A cluster whose units record what ops shows them."""

import json
import os
import pathlib
import sys

import ops

VIEW = pathlib.Path("view.jsonl")
FAILURES = pathlib.Path("failures")


class ClusterCharm(ops.CharmBase):
    """Publishes this unit's name, and as leader the members; records every hook."""

    _stored = ops.StoredState()

    def __init__(self, framework: ops.Framework):
        super().__init__(framework)
        self._stored.set_default(done=0)
        hooks = [
            self.on.install,
            self.on.start,
            self.on.config_changed,
            self.on.update_status,
            self.on.upgrade_charm,
            self.on.leader_elected,
            self.on.leader_settings_changed,
            self.on.stop,
            self.on.remove,
        ]
        for endpoint in ("cluster", "website"):
            events = self.on[endpoint]
            hooks += [events.relation_created, events.relation_joined, events.relation_changed]
            hooks += [events.relation_departed, events.relation_broken]
        for hook in hooks:
            framework.observe(hook, self._on_hook)
        framework.observe(self.on.report_action, self._on_report)

    def _on_hook(self, event: ops.HookEvent):
        self._record(event)
        if not isinstance(event, (ops.StopEvent, ops.RemoveEvent)):
            self._publish()
        self._fail_if_told()
        self._stored.done += 1
        self.unit.status = ops.ActiveStatus()

    def _on_report(self, event: ops.ActionEvent):
        self._record(event)
        lines = [json.loads(line) for line in VIEW.read_text().splitlines()]
        event.set_results({"view": "\n".join(line["hook"] for line in lines if "hook" in line)})
        self._stored.done += 1

    def _publish(self):
        word = str(self.config["word"])
        own = {"name": self.unit.name, "word": word.upper() if self.config["loud"] else word}
        for relation in self.model.relations["cluster"]:
            self._write(relation, self.unit, own)
            if self.unit.is_leader():
                members = sorted(unit.name for unit in relation.units | {self.unit})
                self._write(relation, self.app, {"members": ",".join(members)})
        for relation in self.model.relations["website"]:
            self._write(relation, self.unit, {"port": str(self.config["port"])})
            if self.unit.is_leader():
                self._write(relation, self.app, {"leader": self.unit.name})

    def _fail_if_told(self):
        hook = os.path.basename(os.environ["JUJU_DISPATCH_PATH"])
        left = int(FAILURES.read_text()) if FAILURES.exists() else 0
        if self.config.get("fail-in") != hook or left == 0:
            return
        FAILURES.write_text(str(left - 1))
        for relation in self.model.relations["cluster"]:
            self._write(relation, self.unit, {"unkept": hook})
            if self.unit.is_leader():
                self._write(relation, self.app, {"unkept": hook})
        self.unit.open_port("tcp", 9999)
        self._stored.done += 1000
        sys.exit(1)

    def _write(self, relation: ops.Relation, whose: ops.Unit | ops.Application, entries: dict[str, str]):
        self._append({"wrote": f"{relation.name}:{relation.id}", "whose": whose.name, "entries": entries})
        relation.data[whose].update(entries)

    def _record(self, event: ops.EventBase):
        relation, remote, app, departing = None, None, None, None
        if isinstance(event, ops.RelationEvent):
            relation, remote, app = event.relation, event.unit, event.app
        if isinstance(event, ops.RelationDepartedEvent):
            departing = event.departing_unit
        self._append({
            "hook": os.path.basename(os.environ["JUJU_DISPATCH_PATH"]),
            "unit": self.unit.name,
            "relation": f"{relation.name}:{relation.id}" if relation else "",
            "remote_unit": remote.name if remote else "",
            "remote_app": app.name if app else "",
            "departing_unit": departing.name if departing else "",
            "remote_bag": dict(relation.data[remote]) if relation and remote in relation.data else None,
            "leader": self.unit.is_leader(),
            "relations": {
                f"{relation.name}:{relation.id}": self._relation(relation)
                for endpoint in ("cluster", "website")
                for relation in self.model.relations[endpoint]
            },
            "config": dict(self.config),
            "done": self._stored.done,
        })

    def _relation(self, relation: ops.Relation):
        bags = {unit.name: dict(relation.data[unit]) for unit in relation.units}
        seen = {"members": bags, "own": dict(relation.data[self.unit]), "app": None}
        if relation.app.name != self.app.name:
            seen["remote_app"] = dict(relation.data[relation.app])
        if relation.app.name == self.app.name or self.unit.is_leader():
            seen["app"] = dict(relation.data[self.app])
        return seen

    def _append(self, line: dict):
        with VIEW.open("a") as view:
            view.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    ops.main(ClusterCharm, use_juju_for_storage=True)
