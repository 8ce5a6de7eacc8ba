"""Looking at the account again in mid-session: a refused order can mean that it may not trade any more."""

from __future__ import annotations

from collections.abc import Iterator

from ordinis.domain.account import AccountView
from ordinis.domain.errors import BrokerError
from ordinis.engines.compliance.accounts import blocked
from ordinis.engines.state import State
from ordinis.ports import StandingBroker


class AccountLook:
    """Asks once an order was refused, then every minute for as long as the account is blocked.

    What is as it was is no event: so a refusal of another cause leaves nothing in the journal.
    """

    def __init__(self, state: State, broker: StandingBroker) -> None:
        self._state = state
        self._broker = broker
        self._refused = 0  # What was refused before a restart is looked into once more.

    def look(self) -> Iterator[AccountView]:
        gate = self._state.gate
        due = self._state.refused != self._refused or gate.blocks or gate.books.in_account
        if not due or self._broker.busy:
            return
        try:
            view = self._broker.account()
        except BrokerError:  # Asked again in a minute; that the books cannot be compared is said by who compares them.
            return
        self._refused = self._state.refused
        if blocked(view) != gate.blocks or gate.books.in_account:
            yield view
