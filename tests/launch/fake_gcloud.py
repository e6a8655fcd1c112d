"""A stand-in for gcloud: the parts of Google Cloud that a launch uses, in a directory.

It knows the options of the real one, refuses what that or the service behind it refuses, and lets slices be preempted
as `scenario.json` says. The directory is `$FAKE_CLOUD`; time is the number of looks at a slice.
"""

import contextlib
import fcntl
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time
import typing

CLOUD = pathlib.Path(os.environ["FAKE_CLOUD"])

ZONED = {"--zone"}
MACHINE = {"--metadata", "--metadata-from-file", "--network", "--scopes", "--service-account", "--tags", "--labels"}
SLICE = {"--node-id", "--node-count", "--node-prefix", "--accelerator-type", "--runtime-version", "--subnetwork"}
SLICE |= {"--valid-until-duration", "--valid-after-duration", "--description", "--data-disk", "--topology", "--type"}
VM = {"--machine-type", "--image-family", "--image-project", "--subnet", "--boot-disk-size", "--boot-disk-type"}
WIDE, WIDE_SWITCHES = {"--project", "--format", "--verbosity", "--account"}, {"--quiet"}

QUEUE, NODE, INSTANCES = (
    ("compute", "tpus", "queued-resources"),
    ("compute", "tpus", "tpu-vm"),
    ("compute", "instances"),
)
OPTIONS = {
    (*QUEUE, "create"): (
        ZONED | MACHINE | SLICE,
        {"--spot", "--reserved", "--guaranteed", "--async", "--internal-ips"},
    ),
    (*QUEUE, "describe"): (ZONED, set()),
    (*QUEUE, "delete"): (ZONED, {"--force", "--async"}),
    (*NODE, "describe"): (ZONED, set()),
    (*INSTANCES, "create"): (ZONED | MACHINE | VM, {"--no-address"}),
    (*INSTANCES, "describe"): (ZONED, set()),
    (*INSTANCES, "delete"): (ZONED, set()),
    ("storage", "cp"): (set(), {"--recursive", "--no-clobber"}),
    ("storage", "cat"): ({"--range"}, {"--display-url"}),
    ("storage", "ls"): (set(), {"--recursive", "--long"}),
}
"""Of each command those with a value, and those without."""

REQUIRED = {(*QUEUE, "create"): {"--accelerator-type", "--runtime-version", "--node-id"}}
WAITING = ["WAITING_FOR_RESOURCES", "PROVISIONING", "ACTIVE"]


class Call(typing.NamedTuple):
    """What was asked for, what there is, and what is to happen."""

    command: tuple
    names: list
    options: dict
    cloud: dict
    scenario: dict


def main(words):
    command, positional, options = parse(words)
    with state() as cloud:
        cloud["calls"] += 1
        note(words)
        scenario = json.loads((CLOUD / "scenario.json").read_text())
        if scenario.get("transient") and cloud["calls"] % scenario["transient"] == 0:
            fail(command, "HttpError: 503 Service Unavailable: the service is currently unavailable.")
        killed = COMMANDS[command](Call(command, positional, options, cloud, scenario))
    for process in killed or []:
        shut_down(process)


def parse(words):
    command = next((key for key in OPTIONS if tuple(words[: len(key)]) == key), None)
    if command is None:
        refuse(words, f"Invalid choice: '{' '.join(words[:4])}'.")
    valued, switches = OPTIONS[command]
    positional, options, rest = [], {}, list(words[len(command) :])
    while rest:
        word = rest.pop(0)
        name, equals, value = word.partition("=")
        if not word.startswith("--"):
            positional.append(word)
        elif name in valued | WIDE:
            options[name] = (
                value if equals else rest.pop(0) if rest else refuse(command, f"argument {name}: expected one")
            )
        elif name in switches | WIDE_SWITCHES and not equals:
            options[name] = True
        else:
            refuse(command, f"unrecognized arguments: {word}")
    check(command, positional, options)
    return command, positional, options


def check(command, positional, options):
    if missing := REQUIRED.get(command, set()) - set(options):
        refuse(command, f"argument {' '.join(sorted(missing))}: Must be specified.")
    if command[0] == "compute":
        if "--zone" not in options:
            refuse(command, "Failed to find attribute [zone]. Provide the argument `--zone` on the command line", 1)
        if len(positional) != 1:
            refuse(command, f"expected one name, got {positional}")
        if not re.fullmatch("[a-z]([-a-z0-9]{0,61}[a-z0-9])?", positional[0]):
            fail(command, f"INVALID_ARGUMENT: the name {positional[0]!r} is invalid")
    elif not positional or (command[1] == "cp" and len(positional) < 2):
        refuse(command, "argument DESTINATION: Must be specified.")
    if {"--spot", "--reserved"} <= set(options):
        fail(command, "INVALID_ARGUMENT: only one of spot, reserved and guaranteed may be set")


def create_slice(call):
    (name,) = call.names
    if name in call.cloud["slices"]:
        fail(call.command, f"ALREADY_EXISTS: Resource '{name}' already exists")
    if "refuse" in call.scenario:
        fail(call.command, call.scenario["refuse"])
    lives, born = call.scenario.get("lives", []), call.cloud["born"]
    script = CLOUD / f"startup-{born}.sh"
    shutil.copy(metadata(call), script)
    call.cloud["slices"][name] = {
        "looks": 0,
        "life": lives[born] if born < len(lives) else None,
        "preempted": call.scenario.get("preempted", "SUSPENDED"),
        "script": str(script),
        "processes": [],
        "zone": call.options["--zone"],
    }
    call.cloud["born"] += 1


def describe_slice(call):
    here = slice_of(call)
    if states(here)[1] != "READY" or busy(call):
        here["looks"] += 1
    queue, node = states(here)
    print(queue)
    if node == "READY" and not here["processes"] and call.scenario.get("boot"):
        here["processes"] = [boot(here["script"])]
    gone = here["processes"] if node == "PREEMPTED" else []
    here["processes"] = [process for process in here["processes"] if process not in gone]
    return gone


def busy(call):
    """Whether the machines have begun what they are for, so that a preemption interrupts something."""
    if "busy" not in call.scenario:
        return True
    path = pathlib.Path(call.scenario["busy"])
    return path.exists() and len(path.read_text().splitlines()) >= call.cloud["born"]


def describe_node(call):
    print(states(slice_of(call))[1])


def states(here):
    """Of the queue and of the machines: first the queue goes on, then the machines may be preempted."""
    looks = here["looks"]
    if looks < len(WAITING):
        return WAITING[max(looks - 1, 0)], "CREATING"
    if here["life"] is None or looks < len(WAITING) + here["life"]:
        return "ACTIVE", "READY"
    return here["preempted"], "PREEMPTED"


def delete_slice(call):
    here = slice_of(call)
    if states(here)[0] == "ACTIVE" and "--force" not in call.options:
        fail(call.command, "FAILED_PRECONDITION: it has nodes: delete them first, or use --force")
    del call.cloud["slices"][call.names[0]]
    return here["processes"]


def create_instance(call):
    (name,) = call.names
    if name in call.cloud["instances"]:
        fail(call.command, f"The resource '{name}' already exists")
    if not metadata(call):
        fail(call.command, "nothing would run on it")
    call.cloud["instances"][name] = call.options["--zone"]


def describe_instance(call):
    (name,) = call.names
    if call.cloud["instances"].get(name) != call.options["--zone"]:
        fail(call.command, f"Could not fetch resource:\n - The resource '{name}' was not found")
    print("RUNNING")


def delete_instance(call):
    describe_instance(call)
    del call.cloud["instances"][call.names[0]]


def copy(call):
    *sources, target = call.names
    for source in sources:
        here, there = local(source), local(target)
        if not here.is_file():
            fail(call.command, f"The following URLs matched no objects or files:\n{source}")
        there = there / here.name if target.endswith("/") or there.is_dir() else there
        there.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(here, there)


def cat(call):
    for name in call.names:
        if not local(name).is_file():
            fail(call.command, f"The following URLs matched no objects or files:\n{name}")
        print(local(name).read_text(), end="")


def ls(call):
    found = [path for name in call.names for path in sorted(local(name).glob("*"))]
    if not found:
        fail(call.command, "One or more URLs matched no objects.")
    for path in found:
        print(f"gs://{path.relative_to(CLOUD / 'buckets')}")


def local(name):
    if not name.startswith("gs://"):
        return pathlib.Path(name)
    path = CLOUD / "buckets" / name.removeprefix("gs://")
    bucket = CLOUD / "buckets" / name.removeprefix("gs://").partition("/")[0]
    if not bucket.is_dir():
        fail(("storage",), f"gs://{bucket.name} not found: 404.")
    return path


def slice_of(call):
    here = call.cloud["slices"].get(call.names[0])
    if here is None or here["zone"] != call.options["--zone"]:
        fail(call.command, f"NOT_FOUND: Resource '{call.names[0]}' was not found")
    return here


def metadata(call):
    """The file of its startup script; empty where it has none."""
    _, _, path = call.options.get("--metadata-from-file", "").partition("=")
    if path and not pathlib.Path(path).is_file():
        fail(call.command, f"Unable to read file [{path}]: No such file or directory")
    return path


def boot(script):
    process = subprocess.Popen(["bash", script], start_new_session=True, stdout=subprocess.DEVNULL)
    return process.pid


def shut_down(process):
    """As a machine does: SIGTERM, then some time, then SIGKILL."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, signal.SIGTERM)
        for _ in range(100):
            os.kill(process, 0)
            time.sleep(0.05)
        os.killpg(process, signal.SIGKILL)


@contextlib.contextmanager
def state():
    """What there is; changes are kept also where a command fails."""
    with open(CLOUD / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        path = CLOUD / "state.json"
        cloud = json.loads(path.read_text())
        try:
            yield cloud
        finally:
            draft = path.with_suffix(".part")
            draft.write_text(json.dumps(cloud))
            draft.replace(path)  # the test reads it without the lock


def note(words):
    with open(CLOUD / "calls.jsonl", "a") as calls:
        calls.write(json.dumps(words) + "\n")


def fail(command, message):
    refuse(command, message, 1)


def refuse(command, message, code=2):
    print(f"ERROR: (gcloud.{'.'.join(command)}) {message}", file=sys.stderr)
    sys.exit(code)


COMMANDS = {
    (*QUEUE, "create"): create_slice,
    (*QUEUE, "describe"): describe_slice,
    (*QUEUE, "delete"): delete_slice,
    (*NODE, "describe"): describe_node,
    (*INSTANCES, "create"): create_instance,
    (*INSTANCES, "describe"): describe_instance,
    (*INSTANCES, "delete"): delete_instance,
    ("storage", "cp"): copy,
    ("storage", "cat"): cat,
    ("storage", "ls"): ls,
}

if __name__ == "__main__":
    main(sys.argv[1:])
