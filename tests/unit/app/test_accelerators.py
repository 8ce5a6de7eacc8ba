"""A device is used where it was measured on this machine, and the doctor says which, and why not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from ordinis import app
from ordinis.app.accelerators import accelerator, backend_lines
from ordinis.app.doctor import examine
from ordinis.config import load
from ordinis.config.settings import Settings
from ordinis.domain.errors import ConfigError
from ordinis.domain.market import FloatArray
from ordinis.engines.portfolioopt import backends
from ordinis.engines.portfolioopt.accelerator import KERNELS, Device
from ordinis.engines.portfolioopt.backends import Measured, Timing
from ordinis.ui.cli import main


class Slow:
    """A device that is the processor, and takes its time to send what it has."""

    namespace = np

    def __init__(self, name: str, seconds: float) -> None:
        self.device = Device(name, np, lambda array: array, self._take)
        self._seconds = seconds

    def _take(self, there: Any) -> FloatArray:
        from ordinis.runtime import clock

        clock.sleep(self._seconds)
        result: FloatArray = there
        return result


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load(None, [f"{key}={tmp_path}" for key in ("run.state_dir", "journal.dir", "data.store_dir")])


def with_device(monkeypatch: pytest.MonkeyPatch, device: Device | None, why: str = "") -> None:
    monkeypatch.setattr(backends, "find_device", lambda: (device, why))
    monkeypatch.setattr(backends, "SHAPES", ((40, 20), (60, 30)))
    monkeypatch.setattr(backends.measure, "__defaults__", (backends.SHAPES,))


def test_a_device_counts_from_when_it_was_measured(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with_device(monkeypatch, Slow("slow 1.0", 0.005).device)
    found, why = accelerator(settings)
    assert found is None
    assert why == "slow 1.0 was not measured with this NumPy on this machine: ordinis doctor --measure-backends does"
    assert len(app.measure_backends(settings)) == 2 * len(KERNELS)
    found, why = accelerator(settings)
    assert found is not None
    assert (found.cells_min, why) == ({}, "")  # It waits longer than the processor works: never the faster one.
    assert "slow 1.0 is not used: it was measured" in backend_lines(settings)[-1]
    with_device(monkeypatch, Slow("slow 2.0", 0.005).device)
    assert accelerator(settings)[0] is None


def test_the_doctor_says_what_multiplies_and_why(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with_device(monkeypatch, None, "cupy is not installed, torch is not installed")
    check = next(one for one in examine(settings, "paper") if one.name == "optimizer")
    assert check.verdict == "good"
    assert "DAQP" in check.found
    assert check.found.endswith(
        "none is used: cupy is not installed, torch is not installed; NumPy multiplies tables of every size"
    )
    assert app.measure_backends(settings) == (
        "there is no device to measure: cupy is not installed, torch is not installed",
    )


def test_the_command_measures_and_asks_nothing_else(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with_device(monkeypatch, Slow("slow 1.0", 0.005).device)
    with pytest.raises(SystemExit) as left:
        main(["doctor", "--measure-backends", "--set", f"run.state_dir={settings.run.state_dir}"])
    lines = capsys.readouterr().out.splitlines()
    assert left.value.code == 0
    assert [line.split(":")[0] for line in lines] == [
        f"{kernel}, {cells} cells" for cells in ("800", "1,800") for kernel in KERNELS
    ]
    assert accelerator(settings)[0] is not None


def test_what_was_measured_to_be_faster_multiplies(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    device = Slow("fast 1.0", 0.0).device
    with_device(monkeypatch, device)
    timings = tuple(Timing(kernel, 100, 1.0, 0.5) for kernel in KERNELS)
    kept = msgspec.json.encode(Measured(device=device.name, numpy=np.__version__, timings=timings))
    (Path(settings.run.state_dir) / "backends.json").write_bytes(kept)
    assert app.optimize_data(settings, data=app.BUNDLED, bar_minutes=60).result.backend == "fast 1.0"


def test_spoilt_figures_are_named_with_their_remedy(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with_device(monkeypatch, Slow("slow 1.0", 0.0).device)
    app.measure_backends(settings)
    (kept,) = Path(settings.run.state_dir).glob("*.json")
    kept.write_text("{}")
    with pytest.raises(ConfigError, match="--measure-backends writes it anew"):
        accelerator(settings)
