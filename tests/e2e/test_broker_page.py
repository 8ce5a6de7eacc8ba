"""The page about the simulated broker is tried, command by command."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest

from ordinis.brokers.simulated.faults import read_plan
from ordinis.brokers.simulated.faults.kinds import LostAnswer, MissingField, PartialFill

PAGE = Path(__file__).parents[2] / "docs" / "broker.md"
NODE = Path(__file__).parents[1] / "sdk" / "node"
SECONDS_MAX = 60.0
ORDINIS = (sys.executable, "-c", "from ordinis.ui.cli import main; main()")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the page's first command has been given, with its ready line in broker.json; ended by Ctrl-C."""
    folder = tmp_path_factory.mktemp("page")
    start = shlex.split(blocks("sh")[0].split(">")[0])
    command = [*ORDINIS, *start[1:], "--set", f"data.store_dir={folder / 'bars'}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, process.communicate()
            (folder / "broker.json").write_text(line)
            yield folder
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=SECONDS_MAX)


def ran(command: list[str], folder: Path) -> str:
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS_MAX, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def values(text: str) -> list[Any]:
    """The JSON values of an output, a line each; what is not JSON is left out."""
    return [json.loads(line) for line in text.splitlines() if line.startswith(("{", "["))]


def test_the_page_s_commands_do_what_they_say(folder: Path) -> None:
    for tool in ("bash", "curl", "python3"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed here")
    first, second = (block for block in blocks("sh") if "control" in block)
    script = (first + second).replace("curl -s", "curl -s -w '\\n'")
    said = values(ran(["bash", "-euc", script], folder))
    account, opened, order, _, positions, closing = said[:6]
    assert account["cash"] == "14999"
    assert opened["phase"] == "minute"
    assert (order["symbol"], order["status"]) == ("AAPL", "pending_new")
    assert [one["qty"] for one in positions] == ["10"]
    assert (closing["side"], closing["qty"]) == ("sell", "5")
    armed, failed, listed, cleared = said[6:]
    assert armed[-1]["fault"]["kind"] == "http_error"
    assert failed == {"message": "internal server error"}
    assert listed[-1]["happened"] == 1
    assert cleared == []


def test_the_page_s_alpaca_py_program_runs(folder: Path) -> None:
    price, bar = ran([sys.executable, "-c", blocks("python")[0]], folder).splitlines()
    assert float(price) > 0
    assert "symbol='AAPL'" in bar


def test_the_page_s_npm_program_runs(folder: Path) -> None:
    node = shutil.which("node")
    if node is None or not (NODE / "node_modules").is_dir():
        pytest.skip("@alpacahq/alpaca-trade-api is not installed here: `make sdks` installs it, given Node 20")
    (folder / "program.mjs").write_text(blocks("js")[0])
    (folder / "node_modules").symlink_to(NODE / "node_modules")
    with subprocess.Popen([node, "program.mjs"], cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert float(process.stdout.readline()) > 0
            _step_until_heard(json.loads((folder / "broker.json").read_text()), process.stdout)
        finally:
            process.kill()


def _step_until_heard(broker: dict[str, str], output: IO[str]) -> None:
    """The program prints a bar once it has subscribed and a minute has passed."""
    heard: list[str] = []
    reader = threading.Thread(target=lambda: heard.append(output.readline()), daemon=True)
    reader.start()
    deadline = time.monotonic() + SECONDS_MAX
    while not heard and time.monotonic() < deadline:
        request = urllib.request.Request(f"{broker['control']}/step", method="POST")
        request.add_header("Authorization", f"Bearer {broker['control_token']}")
        urllib.request.urlopen(request).close()
        reader.join(0.1)
    assert heard[0].startswith("AAPL ")


def test_the_page_s_plan_is_one(tmp_path: Path) -> None:
    path = tmp_path / "faults.toml"
    path.write_text(blocks("toml")[0])
    assert [type(fault) for fault in read_plan(path).fault] == [LostAnswer, PartialFill, MissingField]


def test_a_wrong_plan_ends_the_command_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "plan.toml"
    path.write_text("[[fault]]\nkind = 'flood'\n")
    command = [*ORDINIS, "broker", "serve", "--data", "bundled", "--faults", str(path)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS_MAX, check=False)
    assert ended.returncode == 2
    assert "fault[0].kind: Invalid value 'flood'" in " ".join(ended.stderr.split())
    assert "Traceback" not in ended.stderr
