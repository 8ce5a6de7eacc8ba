"""Plans of faults, as files and as requests."""

from __future__ import annotations

from pathlib import Path

import pytest

from ordinis.brokers.simulated.faults import kinds, read_plan
from ordinis.brokers.simulated.faults.plan import KINDS, FaultPlan, parse_faults
from ordinis.domain.errors import ConfigError

TOML = """
seed = 7

[[fault]]
kind = "lost_answer"
method = "POST"
path = "/v2/orders"
skip = 2

[[fault]]
kind = "missing_field"
where = "/v2/account"
field = "buying_power"
from_session = 2
"""
JSON = """{"seed": 7, "fault": [
    {"kind": "lost_answer", "method": "POST", "path": "/v2/orders", "skip": 2},
    {"kind": "missing_field", "where": "/v2/account", "field": "buying_power", "from_session": 2}
]}"""
EXPECTED = FaultPlan(
    seed=7,
    fault=(
        kinds.LostAnswer(method="POST", path="/v2/orders", skip=2),
        kinds.MissingField(where="/v2/account", field="buying_power", from_session=2),
    ),
)


def _file(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


@pytest.mark.parametrize(("name", "text"), [("plan.toml", TOML), ("plan.json", JSON)])
def test_a_plan_reads_the_same_from_toml_and_json(tmp_path: Path, name: str, text: str) -> None:
    assert read_plan(_file(tmp_path, name, text)) == EXPECTED


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("plan.yaml", "", r"plan.yaml: a fault plan is a .toml or a .json file"),
        ("plan.toml", "seed = ", r"plan.toml: the fault plan is no TOML"),
        ("plan.json", "{", r"plan.json: the fault plan is no JSON"),
        ("plan.toml", "sed = 7", r"plan.toml: Object contains unknown field `sed`"),
        (
            "plan.toml",
            '[[fault]]\nkind = "flood"',
            r"fault\[0\].kind: Invalid value 'flood'; there are account_blocked",
        ),
        ("plan.toml", "[[fault]]\ncount = 1", r"fault\[0\]: .*missing required field `kind`, one of account_blocked"),
        ("plan.toml", '[[fault]]\nkind = "delay"', r"fault\[0\]: Object missing required field `seconds`"),
        ("plan.toml", '[[fault]]\nkind = "delay"\nseconds = 0', r"fault\[0\]: seconds must be above 0, was 0"),
        ("plan.toml", '[[fault]]\nkind = "delay"\nseconds = "1"', r"fault\[0\].seconds: Expected `float`, got `str`"),
    ],
)
def test_a_plan_that_cannot_be_says_where_and_why(tmp_path: Path, name: str, text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        read_plan(_file(tmp_path, name, text))


def test_a_plan_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere.toml: the fault plan cannot be read: No such file"):
        read_plan(tmp_path / "nowhere.toml")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"count": -1}, "count must be at least 0"),
        ({"skip": -1}, "skip must be at least 0"),
        ({"probability": 0.0}, r"probability must be in \(0, 1\]"),
        ({"from_session": 0}, "from_session must be at least 1"),
        ({"from_minute": -1}, "from_minute must be at least 0"),
    ],
)
def test_every_fault_checks_when_it_happens(fields: dict[str, float], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        kinds.RejectOrder(**fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('{"kind": "lost_answer", "status": 200}', "status must be from 400 to 599"),
        ('{"kind": "lost_answer", "seconds": -1}', "seconds must be at least 0"),
        ('{"kind": "mute_socket", "stream": "data", "minutes": -1}', "minutes must be at least 0"),
        ('{"kind": "refuse_order", "status": 500}', "status must be from 400 to 499"),
        ('{"kind": "partial_fill", "fraction": "1"}', r"fraction must be in \(0, 1\)"),
        ('{"kind": "stale_positions", "seconds": 0}', "seconds must be above 0"),
        ('{"kind": "account_blocked", "minutes": -1}', "minutes must be at least 0"),
        ('{"kind": "late_bar", "minutes": 0}', "minutes must be at least 1"),
        ('{"kind": "corrected_bar", "factor": 1}', "factor must be above 0 and not 1"),
        ('{"kind": "split_before_open", "symbol": "A", "ratio": 1}', "ratio must be above 0 and not 1"),
        ('{"kind": "split_before_open", "symbol": "A", "from_session": 1}', "from_session must be at least 2"),
        ("{", "the faults are no JSON"),
    ],
)
def test_a_figure_that_makes_no_sense_is_refused(body: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        parse_faults(body.encode())


def test_every_kind_is_documented() -> None:
    page = (Path(__file__).parents[5] / "docs" / "broker.md").read_text()
    missing = [name for name in KINDS if f"`{name}`" not in page]
    assert missing == []
