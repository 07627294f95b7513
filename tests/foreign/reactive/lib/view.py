"""What the unit has seen, a line for each hook, and what it has written."""
import json
import os
import subprocess

from charmhelpers.core import hookenv, unitdata

VIEW = "view.jsonl"


def hook_name():
    return os.path.basename(os.environ["JUJU_DISPATCH_PATH"])


def hooks():
    with open(VIEW) as view:
        lines = [json.loads(line) for line in view]
    return [line["hook"] for line in lines if "hook" in line]


def wrote(relation_id, whose, entries):
    append({"wrote": relation_id, "whose": whose, "entries": entries})


def record():
    remote_unit = hookenv.remote_unit() or ""
    append({
        "hook": hook_name(),
        "unit": hookenv.local_unit(),
        "relation": hookenv.relation_id() or "",
        "remote_unit": remote_unit,
        "remote_app": os.environ.get("JUJU_REMOTE_APP", ""),
        "departing_unit": hookenv.departing_unit() or "",
        "remote_bag": hookenv.relation_get() if remote_unit else None,
        "leader": hookenv.is_leader(),
        "relations": {
            relation_id: relation(relation_id)
            for endpoint in ("cluster", "website")
            for relation_id in hookenv.relation_ids(endpoint)
        },
        "config": dict(hookenv.config()),
        "settings": hookenv.leader_get(),
        "done": unitdata.kv().get("done", 0),
    })


def relation(relation_id):
    seen = {
        "members": {
            unit: hookenv.relation_get(rid=relation_id, unit=unit) for unit in hookenv.related_units(relation_id)
        },
        "own": hookenv.relation_get(rid=relation_id, unit=hookenv.local_unit()),
    }
    try:
        seen["app"] = hookenv.relation_get(rid=relation_id, app=hookenv.application_name())
    except subprocess.CalledProcessError:
        seen["app"] = None
    return seen


def append(line):
    with open(VIEW, "a") as view:
        view.write(json.dumps(line) + "\n")
