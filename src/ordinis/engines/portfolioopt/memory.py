"""What does not change from one optimisation to the next is worked out once: names, constraints, their rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ordinis.engines.portfolioopt.constraints import Constraints, plain
from ordinis.engines.portfolioopt.moments import names_of
from ordinis.engines.portfolioopt.shape import Shape, shape_of


class Memory:
    """The last of each; equal input has the same answer as without it."""

    def __init__(self) -> None:
        self._columns: Any = None
        self._names: list[str] = []
        self._given: dict[str, Any] | None = None
        self._constraints = Constraints.of(None)
        self._key: tuple[object, ...] = ()
        self._symbols: list[str] = []
        self._shape: Shape | None = None
        self._of: Constraints | None = None

    def names(self, returns: Any, symbols: Sequence[str] | None, count: int) -> list[str]:
        """The same list as long as the table has the same columns, which never change in place."""
        columns = getattr(returns, "columns", None)
        if symbols is not None or columns is None:
            return names_of(returns, symbols, count)
        if columns is not self._columns and not _identical(columns, self._columns):
            self._names = names_of(returns, None, count)
        self._columns = columns
        return self._names

    def constraints(self, given: Mapping[str, Any] | None) -> Constraints:
        """Error: ConfigError."""
        if not given:
            return Constraints.of(None)
        if not self._known(given):
            self._given = None
            self._constraints = Constraints.of(given)
            self._given = plain(given)
        return self._constraints

    def _known(self, given: Mapping[str, Any]) -> bool:
        """Whether it says what the last one said; a series or an array does not say so by itself."""
        if self._given is None or any(hasattr(value, "to_numpy") for value in given.values()):
            return False
        try:
            return bool(given == self._given)
        except ValueError:  # An array further down.
            return False

    def shape(self, given: Constraints, symbols: list[str], frozen: Sequence[str], least: float, most: float) -> Shape:
        """Error: ConfigError."""
        key = (id(given), tuple(frozen), least, most)
        if self._shape is None or self._key != key or (self._symbols is not symbols and self._symbols != symbols):
            self._shape = shape_of(given, symbols, frozen, least, most)
            # What is remembered by its place stays alive, so that nothing else can take the place.
            self._key, self._symbols, self._of = key, symbols, given
        return self._shape


def _identical(columns: Any, known: Any) -> bool:
    """Of indexes as pandas has them; other tables' columns are read each time."""
    return hasattr(columns, "identical") and hasattr(known, "identical") and bool(columns.identical(known))
