"""Tables on a device: any array library of the standard computes the same, and what fails is the processor's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version
from itertools import count
from typing import Any

import numpy as np
import pytest

from ordinis.domain.errors import OptimizationError
from ordinis.domain.market import FloatArray
from ordinis.engines.portfolioopt import backends
from ordinis.engines.portfolioopt.accelerator import GRAM, KERNELS, NUMPY, PRODUCT, Accelerator, Device
from ordinis.engines.portfolioopt.backends import Measured, Timing, accelerator_of, backend_report, find_device, measure
from ordinis.engines.portfolioopt.optimizer import PortfolioOptimizer

strict = pytest.importorskip("array_api_strict")  # Knows what the standard says, and nothing else.
ALWAYS = dict.fromkeys(KERNELS, 1.0)
LIMITS = {"max_weight": 0.1, "sectors": {str(one): f"S{one % 5}" for one in range(80)}, "max_sector": 0.3}


def taken(there: Any) -> FloatArray:
    return np.asarray(np.from_dlpack(there), dtype=np.float64)


class Spy:
    """A device of the strict library that counts what was sent to it, and may break."""

    def __init__(self, breaks_at: int = 10**9) -> None:
        self.sent = 0
        self._breaks_at = breaks_at

    def put(self, array: FloatArray) -> Any:
        self.sent += 1
        if self.sent >= self._breaks_at:
            raise MemoryError("the device is full")
        return strict.asarray(np.array(array))

    @property
    def device(self) -> Device:
        return Device("strict 1.0", strict, self.put, taken)


def returns_of(rows: int, symbols: int) -> FloatArray:
    random = np.random.default_rng(3)
    market = random.standard_normal((rows, 1)) * 0.01
    result: FloatArray = 4e-4 + market + random.standard_normal((rows, symbols)) * random.uniform(0.005, 0.02, symbols)
    return result


@pytest.mark.parametrize(
    "settings",
    [
        {"method": "mean_variance", "estimator": "sample"},
        {"method": "mean_variance", "estimator": "ledoit_wolf"},
        {"method": "mean_variance", "estimator": "oas", "target_volatility": 0.2},
        {"method": "min_variance", "estimator": "sample"},
        {"method": "max_diversification", "estimator": "oas"},
        {"method": "mean_cvar", "estimator": "ledoit_wolf"},
        {"method": "mean_cvar", "estimator": "sample", "risk_aversion": 2.0},
        {"method": "risk_parity", "estimator": "sample"},
        {"method": "kelly_growth", "estimator": "sample"},
    ],
    ids=lambda settings: "-".join(map(str, settings.values())),
)
@pytest.mark.parametrize("constraints", [{"max_weight": 0.1}, LIMITS], ids=["caps", "sectors"])
def test_every_library_of_arrays_has_the_same_weights(
    settings: Mapping[str, Any], constraints: Mapping[str, Any]
) -> None:
    table, spy = returns_of(120, 80), Spy()
    here = PortfolioOptimizer(**settings).optimize(table, constraints)
    there = PortfolioOptimizer(**settings, accelerator=Accelerator(spy.device, ALWAYS)).optimize(table, constraints)
    assert list(there.weights.values()) == pytest.approx(list(here.weights.values()), abs=1e-9)
    assert (here.backend, there.backend) == (NUMPY, "strict 1.0")
    assert there.gap <= 1e-8
    if settings["method"] != "kelly_growth":  # It looks at every row by itself: nothing of it is multiplied there.
        assert spy.sent > 1


@pytest.mark.parametrize("breaks_at", range(1, 6))
@pytest.mark.parametrize("method", ["mean_variance", "mean_cvar"])
def test_a_device_that_fails_is_named_and_the_processor_goes_on(method: str, breaks_at: int) -> None:
    table = returns_of(120, 80)
    broken = Accelerator(Spy(breaks_at).device, ALWAYS)
    here = PortfolioOptimizer(method).optimize(table, LIMITS)
    found = PortfolioOptimizer(method, accelerator=broken).optimize(table, LIMITS)
    assert list(found.weights.values()) == pytest.approx(list(here.weights.values()), abs=1e-9)
    assert found.backend == "numpy: strict 1.0 failed: MemoryError: the device is full"


def test_a_device_that_multiplies_wrongly_cannot_forge_the_proof() -> None:
    """The certificate is the processor's: what rests on wrong products is refused, never passed on."""

    def wrong(there: Any) -> FloatArray:
        result: FloatArray = np.flip(taken(there)) * -3.0
        return result

    liar = Accelerator(Spy().device._replace(take=wrong), {PRODUCT: 1.0})
    for method in ("mean_variance", "mean_cvar"):
        with pytest.raises(OptimizationError, match="not the optimum"):
            PortfolioOptimizer(method, estimator="sample", accelerator=liar).optimize(returns_of(120, 80), LIMITS)


def test_a_device_that_rounds_more_coarsely_leaves_the_certificate_as_sharp() -> None:
    """The weights it leads to are judged by the processor's own losses, not by what it made of them."""

    def coarse(there: Any) -> FloatArray:
        return taken(there).astype(np.float32).astype(np.float64)

    device = Accelerator(Spy().device._replace(take=coarse), {PRODUCT: 1.0})
    result = PortfolioOptimizer("mean_cvar", estimator="sample", accelerator=device).optimize(
        returns_of(120, 80), {"max_weight": 0.1}
    )
    assert result.gap <= 1e-10


def test_tables_below_the_measured_size_stay_with_the_processor() -> None:
    table, spy = returns_of(120, 80), Spy()
    for cells, used in ((table.size + 1, False), (table.size, True)):
        chosen = Accelerator(spy.device, {PRODUCT: cells})
        result = PortfolioOptimizer(estimator="sample", accelerator=chosen).optimize(table, LIMITS)
        assert (result.backend != NUMPY, spy.sent > 0) == (used, used)


def ticking(slow: frozenset[str]) -> Callable[[], float]:
    """A clock by which the device needs 2 ms a measurement of what it is `slow` at, else 1 ms, the processor 1.5."""
    needs = {True: 2.0, False: 1.0}
    order: Iterator[float] = (
        spent
        for _ in count()
        for kernel in KERNELS
        for spent in (*[needs[kernel in slow]] * backends._TRIES, *[1.5] * backends._TRIES)
    )
    now, between = 0.0, False

    def clock_ms() -> float:
        nonlocal now, between
        now += next(order) if between else 0.0
        between = not between
        return now

    return clock_ms


@pytest.mark.parametrize(("slow", "used"), [((), (PRODUCT, GRAM)), ((PRODUCT,), (GRAM,)), ((PRODUCT, GRAM), ())])
def test_what_was_measured_decides(slow: tuple[str, ...], used: tuple[str, ...]) -> None:
    spy = Spy()
    measured = measure(spy.device, ticking(frozenset(slow)), shapes=((30, 20), (40, 30)))
    assert [one.cells for one in measured.timings] == [600, 600, 1200, 1200]
    accelerator = measured.accelerator(spy.device)
    assert accelerator is not None
    assert accelerator.cells_min == dict.fromkeys(used, 600)
    assert spy.sent > 0


def test_it_is_used_only_from_where_it_stays_the_faster_one() -> None:
    times = ((100, 1.0, 0.5), (200, 1.0, 1.0), (300, 1.0, 0.9), (400, 1.0, 0.1))
    timings = [Timing(PRODUCT, cells, here, there) for cells, here, there in times]
    assert accelerator_of(Spy().device, timings).cells_min == {PRODUCT: 300}


def test_figures_of_another_device_or_another_numpy_do_not_count() -> None:
    device = Spy().device
    timings = (Timing(PRODUCT, 100, 1.0, 0.5),)
    for name, numpy, counts in (
        (device.name, version("numpy"), True),
        ("strict 2.0", version("numpy"), False),
        (device.name, "1.0", False),
    ):
        assert (Measured(device=name, numpy=numpy, timings=timings).accelerator(device) is not None) == counts


def test_a_device_that_fails_cannot_be_measured() -> None:
    with pytest.raises(OptimizationError, match="the device is full"):
        measure(Spy(3).device, ticking(frozenset()), shapes=((30, 20),))


def test_without_a_library_of_a_device_there_is_none_and_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    device, why = find_device()
    assert device is None
    assert why == "cupy is not installed, torch is not installed"
    line = f"accelerator: none is used: {why}; NumPy multiplies tables of every size"
    assert backend_report(None, why)[-1] == line


def test_a_library_without_a_device_is_named_with_what_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    class Cuda:
        def is_available(self) -> bool:
            return False

    class Torch:
        cuda = Cuda()

    monkeypatch.setattr("importlib.util.find_spec", lambda name: name == "torch" or None)
    monkeypatch.setattr("importlib.import_module", lambda name: Torch)
    device, why = find_device()
    assert device is None
    assert why == "cupy is not installed, torch finds no device (RuntimeError: CUDA is not available)"


def test_the_report_says_from_which_size_on_a_device_is_used() -> None:
    device = Spy().device
    lines = backend_report(Accelerator(device, {PRODUCT: 4e6}), "")
    assert any(line.startswith("DAQP ") for line in lines)
    assert lines[-1] == "accelerator: strict 1.0, where it was measured to be faster: product from 4,000,000 cells"
    slower = backend_report(Accelerator(device, {}), "")[-1]
    assert slower.startswith("accelerator: strict 1.0 is not used: it was measured, and slower at every size")
