"""`ordinis optimize`: the best weights for a data set's symbols, with their proof."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ordinis.domain.errors import ConfigError
from ordinis.ui.options import ConfigOption, DataOption, FirstOption, LastOption, SetOption, read_settings

if TYPE_CHECKING:
    from ordinis.app.optimizing import Optimized

_BAR_WIDTH = 30


def optimize(
    data: DataOption,
    method: Annotated[str, typer.Option("--method", help="What is optimised: docs/optimizer.md.")] = "mean_variance",
    estimator: Annotated[
        str, typer.Option("--estimator", help="How covariances are estimated: docs/optimizer.md.")
    ] = "ledoit_wolf",
    bar_minutes: Annotated[
        int | None,
        typer.Option(
            "--bar-minutes", metavar="N", help="From bars of N minutes, nights included; default: daily ones."
        ),
    ] = None,
    limits: Annotated[
        list[str] | None,
        typer.Option("--limit", metavar="KEY=VALUE", help="One constraint, for example max_weight=0.2; repeatable."),
    ] = None,
    first: FirstOption = None,
    last: LastOption = None,
    config: ConfigOption = None,
    overrides: SetOption = None,
) -> None:
    """Print the best weights, and how near to the best they are proven to be. Nothing is traded.

    Without --from all daily bars count, and of minutes the last 20 sessions.
    """
    settings = read_settings(config, overrides)
    from ordinis import app

    found = app.optimize_data(
        settings,
        data=data,
        bar_minutes=bar_minutes,
        first=first,
        last=last,
        method=method,
        estimator=estimator,
        limits=dict(_pair(one) for one in limits or ()),
    )
    typer.echo(rendered(found))


def _pair(given: str) -> tuple[str, str]:
    name, equals, value = given.partition("=")
    if not equals:
        raise ConfigError(f"--limit {given}: write KEY=VALUE, for example max_weight=0.2")
    return name.strip(), value.strip()


def rendered(found: Optimized) -> str:
    """The weights as a table with bars, the largest first, and who was left out."""
    result = found.result
    held = sorted((item for item in result.weights.items() if item[1]), key=lambda item: -abs(item[1]))
    largest = max((abs(weight) for _, weight in held), default=1.0)
    lines = [
        f"{result.method} by {result.rung}, {result.status}: {found.rows:,} returns of {found.data_label}",
        *(f"{name:<8} {weight:>8.2%} {'█' * round(_BAR_WIDTH * abs(weight) / largest)}" for name, weight in held),
        f"{'cash':<8} {result.cash:>8.2%}",
        f"a year: {result.expected_return:.2%} expected, {result.expected_volatility:.2%} volatility",
        f"gap {result.gap:.1e}, violation {result.violation:.1e}, {result.elapsed_ms:.2f} ms, {result.backend}",
    ]
    nothing = sum(not weight for weight in result.weights.values())
    lines += [f"{nothing} symbols get nothing"] if nothing else []
    return "\n".join([*lines, *(f"{name} was left out: {why}" for name, why in result.excluded.items())])
