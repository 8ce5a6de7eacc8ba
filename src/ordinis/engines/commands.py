"""A person's word: pause, reduce, flatten, resume."""

from __future__ import annotations

from ordinis.domain.events import Command, CommandKind
from ordinis.domain.orders import Action
from ordinis.engines.state import State

_PAUSE, _FLATTEN, _RESUME = CommandKind.PAUSE, CommandKind.FLATTEN, CommandKind.RESUME


def obey(state: State, command: Command) -> tuple[list[Action], list[str]]:
    """Latch it, or lift what is latched; take entries back where no more may be bought. And what to tell."""
    notes = state.halts.order(command.kind, state.book.equity_usd)
    if command.kind is _RESUME:
        state.forgive()
    actions = [] if command.kind in (_PAUSE, _RESUME) else state.desk.withdraw_entries(command.at_ns)
    return actions, [f"{note} ({command.note})" if command.note else note for note in notes]


def flattening(state: State) -> bool:
    """Whether every position is to be closed."""
    return state.halts.command is _FLATTEN
