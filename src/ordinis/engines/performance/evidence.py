"""What results say."""

from __future__ import annotations

import msgspec


class Evidence(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What the results of one strategy say of its next trade."""

    trades: int
    win_rate: float | None  # Shrunk towards a half.
    payoff: (
        float | None
    )  # Likewise towards its prior: mean win over mean loss, each in units of the risk taken; None until both exist.
