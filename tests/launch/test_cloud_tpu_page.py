"""What docs/cloud_tpu.md tells people to type."""

import pathlib
import re
import shlex

from evonas.cli.main import AGAIN, INTERRUPTED, MISTAKE, run_command

ROOT = pathlib.Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "cloud_tpu.md").read_text()
LINES = [line for block in re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]
COMMANDS = [shlex.split(line[2:], comments=True) for line in LINES if line.startswith("$ ")]
SHOWN = [line for line in LINES if not line.startswith("$ ")]


def test_gcloud_takes_the_commands(real_gcloud):
    commands = [command for command in COMMANDS if command[0] == "gcloud"]
    assert len(commands) > 10
    wrong = zip(commands, real_gcloud(commands), strict=True)
    assert not [(command, message) for command, message in wrong if message]


def test_launches_print_what_the_page_shows(capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    for command in COMMANDS:
        if command[:3] in (["evonas", "launch", "tpu"], ["evonas", "launch", "xpk"]):
            assert run_command(command[1:]) == 0
    printed = capsys.readouterr().out.splitlines()
    (script,) = re.findall(r"```text\n(# build.*?)```", PAGE, re.DOTALL)
    of_this_machine = ("python -m pip", "--wheel-dir")  # paths
    shown = SHOWN + [line for line in script.splitlines() if not any(word in line for word in of_this_machine)]
    assert len(shown) > 20
    assert not [line for line in shown if line not in printed]


def test_exit_codes_are_those_of_the_command_line():
    table = PAGE.partition("### Exit codes of evonas")[2].partition("## ")[0]
    codes = {int(code) for code in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)}
    assert codes == {0, MISTAKE, AGAIN, INTERRUPTED}
