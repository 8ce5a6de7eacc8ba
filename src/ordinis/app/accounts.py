"""Which account is traded, and every check before the first order: a mistake here costs money."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ordinis.config.folders import make_state_dir
from ordinis.config.secrets import credentials
from ordinis.config.settings import Settings
from ordinis.domain.errors import AccountError, ConfigError
from ordinis.domain.standing import AccountStanding

if TYPE_CHECKING:
    from ordinis.brokers.alpaca.endpoints import Endpoints

Mode = Literal["paper", "live"]
LIVE_WORD = "i mean live"
_LIVE_KEY_PREFIX, _PAPER_KEY_PREFIX = "AK", "PK"  # As Alpaca issues them; another prefix is not judged.


def endpoints(settings: Settings, mode: Mode) -> Endpoints:
    """Where to trade, with the keys from the environment or the key file. Errors: ConfigError."""
    from ordinis.brokers.alpaca.endpoints import Endpoints

    broker, keys = settings.broker, credentials(settings)
    rest = broker.live_url if mode == "live" else broker.paper_url
    key = keys.key_id.get_secret_value()
    _check_kind(key, mode)
    return Endpoints(
        rest=rest,
        data=broker.data_url,
        data_stream=f"{broker.data_stream_url.rstrip('/')}/v2/{settings.data.feed}",
        trading_stream=f"{_as_socket(rest)}/stream",
        key=key,
        secret=keys.secret_key.get_secret_value(),
    )


def _as_socket(address: str) -> str:
    return address.rstrip("/").replace("https://", "wss://").replace("http://", "ws://")


def _check_kind(key: str, mode: Mode) -> None:
    wrong = _PAPER_KEY_PREFIX if mode == "live" else _LIVE_KEY_PREFIX
    if key.startswith(wrong):
        other = "paper" if mode == "live" else "live"
        raise ConfigError(f"the key is of a {other} account, and {mode} was asked for; use that account's own keys")


def check_meant(settings: Settings, *, yes: bool, typed: str | None) -> None:
    """Live trading needs the account's number in the settings and a person's word, typed or in the settings.

    Errors: ConfigError.
    """
    number = settings.broker.account_number
    if not number:
        raise ConfigError("live trading needs broker.account_number: name the account that may be traded")
    if yes and settings.broker.live_word.strip().lower() != LIVE_WORD:
        raise ConfigError(f'--yes-i-mean-live needs broker.live_word = "{LIVE_WORD}" in the settings')
    if not yes and typed != number:
        raise ConfigError("that is not the account's number: nothing was started")


def check_account(standing: AccountStanding, settings: Settings, mode: Mode) -> None:
    """The account behind the key is the one named, and may trade. Errors: AccountError."""
    named = settings.broker.account_number
    if named and standing.number != named:
        raise AccountError(
            f"the key is of account {standing.number}, broker.account_number names {named}: use that account's keys"
        )
    if mode == "live" and not named:
        raise AccountError("live trading needs broker.account_number")
    for problem in standing.problems:
        raise AccountError(f"account {standing.number} cannot be traded: {problem}")


@contextmanager
def only_trader(settings: Settings, account: str) -> Iterator[Path]:
    """One trader an account on this machine. The folder of its state. Errors: AccountError."""
    from filelock import FileLock, Timeout

    folder = make_state_dir(settings, account)
    lock = FileLock(folder / "trader.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise AccountError(
            f"account {account} is being traded by another process: see `ordinis status`, or `ordinis stop`"
        ) from error
    try:
        yield folder
    finally:
        lock.release()
