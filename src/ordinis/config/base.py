"""What all sections share: frozen, keyword only, no unknown keys, no silent conversions."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


class Section(BaseModel):
    """A table of the settings file. The docstring's first line and each key's description are its documentation."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


def _exact(value: Any) -> Any:
    """A TOML number as the decimal that was written: 0.1 stays 0.1."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return Decimal(repr(value)) if is_number else value


Usd = Annotated[Decimal, BeforeValidator(_exact)]
Names = Annotated[tuple[str, ...], Field(strict=False)]
Share = Annotated[float, Field(ge=0, lt=1)]  # A fraction that never reaches the whole.
Part = Annotated[float, Field(gt=0, le=1)]  # A fraction that may be the whole, never nothing.
Count = Annotated[int, Field(ge=0)]
Positive = Annotated[int, Field(ge=1)]
