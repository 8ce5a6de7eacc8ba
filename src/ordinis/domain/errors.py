"""The errors that a user or a caller can meet.

OrdinisError                exit code
|- ConfigError                  2     a setting: which key, what was expected, a suggestion
|- DataError                    3     a file or a row: which, and what to do
|- StrategyError                4     a strategy raised or gave an impossible signal
|- JournalError                 5     the journal cannot be read or written
|- BrokerError                  6     the other side, or the way to it
|   |- OrderRefused                   it said no: its code and text
|   `- OutcomeUnknown                 it may or may not have been done: look it up, never resend
|- AccountError                 7     the account cannot be traded: no equity, blocked
`- OptimizationError            8     no weights satisfy the constraints, or none could be proven best
"""

from __future__ import annotations


class OrdinisError(Exception):
    """Anything that is not a defect of ours: the message says what, where and what to do."""

    exit_code = 1


class ConfigError(OrdinisError):
    exit_code = 2


class DataError(OrdinisError):
    exit_code = 3


class StrategyError(OrdinisError):
    exit_code = 4


class JournalError(OrdinisError):
    exit_code = 5


class BrokerError(OrdinisError):
    exit_code = 6


class OrderRefused(BrokerError):
    """The broker refused an order. `code` and `text` are its own; `http_status` is what REST says."""

    def __init__(self, code: int, text: str, http_status: int = 403) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text
        self.http_status = http_status


class OutcomeUnknown(BrokerError):
    """No answer, or a doubtful one. The order may stand: look it up by its id."""

    def __init__(self, client_order_id: str) -> None:
        super().__init__(f"order {client_order_id}: no certain answer; look it up, do not send it again")
        self.client_order_id = client_order_id


class AccountError(OrdinisError):
    exit_code = 7


class OptimizationError(OrdinisError):
    exit_code = 8
