"""Where the broker's books contradict ours: one answer, whichever look at them has found it.

Entries stop until a later look finds that both agree, or a person resumes; exits go on. An account's view knows
positions only, a reconciliation orders, too: so it stands in for the view's findings, and not the other way round.
"""

from __future__ import annotations

from collections.abc import Sequence

_CORRECTED = "our book was corrected to the broker's, and nobody has resumed"


class Disagreements:
    """`stands` while there are any; `lines` says them."""

    __slots__ = ("_corrected", "_in_account", "_in_reconciliation", "openings", "stands")

    def __init__(self) -> None:
        self._in_account: tuple[str, ...] = ()
        self._in_reconciliation: tuple[str, ...] = ()
        self._corrected = False  # Our book was wrong, and nobody has said yet that it may trade on.
        self.stands = False
        self.openings = 0  # What was found before the last of them has been forgotten.

    def opens(self, differences: Sequence[str]) -> list[str]:
        """A session's first view of the account: what was found before it is over, but for what it says again."""
        self.openings += 1
        self.resumed()
        return self.viewed(differences)

    def viewed(self, differences: Sequence[str]) -> list[str]:
        """A view of the account; what to tell a person, where it says something new."""
        before, self._in_account = self._in_account, tuple(differences)
        self._settle()
        if self._in_account == before:
            return []
        return _halting(differences) or ([] if self.stands else ["our book and the broker's agree again"])

    def reconciled(self, differences: Sequence[str], *, corrected: bool) -> list[str]:
        """Both books were held against each other, order by order."""
        self._in_account, self._in_reconciliation = (), tuple(differences)
        self._corrected |= corrected
        self._settle()
        return _halting(differences)

    def resumed(self) -> None:
        """A person trades on with what our book says."""
        self._in_account = self._in_reconciliation = ()
        self._corrected = False
        self._settle()

    @property
    def in_account(self) -> bool:
        """A view of the account has found some, and nothing has been held against it since."""
        return bool(self._in_account)

    @property
    def lines(self) -> list[str]:
        """What stands, in words."""
        return [*self._in_account, *self._in_reconciliation, *([_CORRECTED] if self._corrected else [])]

    def _settle(self) -> None:
        self.stands = bool(self._in_account or self._in_reconciliation or self._corrected)


def _halting(lines: Sequence[str]) -> list[str]:
    return [f"entries are halted: {line}" for line in lines]
