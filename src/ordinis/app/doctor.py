"""The checks before a session, each with its remedy."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Literal

import msgspec

from ordinis.app.accelerators import backend_lines
from ordinis.app.accounts import Mode, check_account, endpoints
from ordinis.config import folders
from ordinis.config.settings import Settings
from ordinis.domain.errors import AccountError, BrokerError, ConfigError, JournalError, OrdinisError
from ordinis.runtime import clock

if TYPE_CHECKING:
    from ordinis.brokers.alpaca.checkup import Checkup

DISK_MB_MIN = 500
MARGIN_EQUITY_MIN_USD = 2_000
_MEGABYTE, _SECOND_NS = 2**20, 10**9


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One question and its answer; a fault names its remedy."""

    name: str
    verdict: Literal["good", "warn", "fault"]
    found: str
    exit_code: int = 0


def examine(settings: Settings, mode: Mode, wall_ns: Callable[[], int] = clock.wall_ns) -> list[Check]:
    """All of them: a fault keeps none from being asked but those that rest on it."""
    checks = [
        _asked("disk", partial(_disk, settings)),
        _asked("optimizer", partial(_optimizer, settings)),
        _asked("keys", partial(_keys, settings, mode)),
    ]
    if checks[-1].verdict == "fault":
        return checks
    from ordinis.brokers.alpaca.checkup import Checkup

    with Checkup(endpoints(settings, mode), Random(settings.run.seed)) as checkup:
        checks.append(_asked("account", partial(_account, checkup, settings, mode)))
        if checks[-1].exit_code == BrokerError.exit_code:
            return checks  # Nobody answers, or the key is refused: so it would be with every other question.
        checks.append(_asked("account type", partial(_account_type, checkup, settings)))
        checks.append(_asked("clock", partial(_clock, checkup, settings, wall_ns)))
        checks.append(_asked("session", partial(_session, checkup)))
        for symbol in settings.data.symbols:
            checks.append(_asked(f"symbol {symbol}", partial(_symbol, checkup, settings, symbol)))
    if not settings.data.symbols:
        checks.append(_fault("symbols", ConfigError("data.symbols is empty: name the symbols to trade")))
    return checks


def _asked(name: str, ask: Callable[[], Check]) -> Check:
    try:
        return ask()
    except OrdinisError as error:
        return _fault(name, error)


def _fault(name: str, error: OrdinisError) -> Check:
    return Check(name=name, verdict="fault", found=str(error), exit_code=error.exit_code)


def _good(name: str, found: str) -> Check:
    return Check(name=name, verdict="good", found=found)


def _warn(name: str, found: str) -> Check:
    return Check(name=name, verdict="warn", found=found)


def _disk(settings: Settings) -> Check:
    folder = _existing(folders.journal_dir(settings))
    free_mb = shutil.disk_usage(folder).free // _MEGABYTE
    wanted_mb = DISK_MB_MIN + settings.journal.reserve_mb
    if free_mb < wanted_mb:
        raise JournalError(f"{folder} has {free_mb:,} MB free, {wanted_mb:,} are wanted: free some, or set journal.dir")
    return _good("disk", f"{free_mb:,} MB free in {folder}")


def _existing(folder: Path) -> Path:
    return folder if folder.exists() else _existing(folder.parent)


def _optimizer(settings: Settings) -> Check:
    return _good("optimizer", "; ".join(backend_lines(settings)))


def _keys(settings: Settings, mode: Mode) -> Check:
    return _good("keys", f"both are there, for {endpoints(settings, mode).rest}")


def _account(checkup: Checkup, settings: Settings, mode: Mode) -> Check:
    standing = checkup.account
    check_account(standing, settings, mode)
    if standing.equity_usd <= 0:
        raise AccountError(f"account {standing.number} holds {standing.equity_usd} USD: deposit first")
    found = f"{standing.number}, {standing.equity_usd:,.2f} USD, multiplier {standing.multiplier}"
    if standing.multiplier > 1 and standing.equity_usd < MARGIN_EQUITY_MIN_USD:
        return _warn("account", f"{found}; below {MARGIN_EQUITY_MIN_USD:,} USD there is no margin")
    return _good("account", found)


def _account_type(checkup: Checkup, settings: Settings) -> Check:
    """Whether it is under the rules that it is held to, and may do what the settings want."""
    from ordinis.app.rule_sets import regime
    from ordinis.engines.compliance.accounts import contradicts

    standing, rules = checkup.account, regime(settings)
    for contradiction in contradicts(standing, rules):
        raise AccountError(f"{contradiction}: no entry would go out; set compliance.regime, or use another account")
    if standing.counts_day_trades and not rules.counts_day_trades:
        found = "the broker still counts day trades, the settings do not: set compliance.regime = 'pattern_day_trader'"
        return _warn("account type", found)
    if settings.risk.shorting_allowed and not standing.shorting:
        return _warn("account type", "risk.shorting_allowed is on, and this account may not sell short: switch it off")
    tier = [one for one in settings.tiers if one.equity_min_usd <= standing.equity_usd][-1]
    if tier.max_portfolio_leverage > standing.multiplier:
        found = f"tiers.{tier.name}.max_portfolio_leverage is {tier.max_portfolio_leverage:g}, the broker lends less"
        return _warn("account type", f"{found}: entries end at buying power; ask for margin, or lower it")
    return _good("account type", f"{rules.regime}, multiplier {standing.multiplier}")


def _clock(checkup: Checkup, settings: Settings, wall_ns: Callable[[], int]) -> Check:
    off_seconds = (wall_ns() - checkup.now_ns()) / _SECOND_NS
    if abs(off_seconds) > settings.broker.clock_seconds_off_max:
        found = f"this machine is {off_seconds:+,.1f} s off the broker's clock, which decisions go by"
        return _warn("clock", f"{found}: turn time synchronisation on")
    return _good("clock", f"{off_seconds:+.1f} s off the broker's")


def _session(checkup: Checkup) -> Check:
    session = checkup.session_today()
    if session is None:
        return _warn("session", "the exchange is closed today: nothing is traded until its next session")
    left_minutes = (session.close_ns - checkup.now_ns()) // (60 * _SECOND_NS)
    return _good("session", f"{session.minutes} minutes today, {max(0, left_minutes)} until the close")


def _symbol(checkup: Checkup, settings: Settings, symbol: str) -> Check:
    standing = checkup.symbol(symbol)
    if not standing.tradable:
        raise ConfigError(f"{symbol} cannot be traded at the broker: take it out of data.symbols")
    if settings.account.fractional and not standing.fractionable:
        return _warn(f"symbol {symbol}", "whole shares only: small sizes of it round to nothing")
    return _good(f"symbol {symbol}", "can be traded")
