"""PerformanceTracker: wins, losses and what they were worth, by key (a symbol, or a strategy).

The plan's own call is `update_trade_result(symbol, pnl, entry, exit)`. Missing is None, never a half.
"""

from __future__ import annotations

from collections import defaultdict

from ordinis.engines.performance.evidence import Evidence
from ordinis.engines.round_trip import RoundTrip

_NO_EVIDENCE = Evidence(trades=0, win_rate=None, payoff=None)


class PerformanceTracker:
    """Counts results. A trade that made exactly nothing is a loss: it paid for its risk."""

    def __init__(self, prior_trades: float = 20.0, payoff_prior: float = 1.0) -> None:
        self._prior_trades = prior_trades  # Strength of the belief that a coin decides, in trades.
        self._payoff_prior = payoff_prior  # What a win is worth in losses before there is evidence.
        self.total_trades: dict[str, int] = defaultdict(int)
        self.wins: dict[str, int] = defaultdict(int)
        self.losses: dict[str, int] = defaultdict(int)
        self.total_win_amount: dict[str, float] = defaultdict(float)
        self.total_loss_amount: dict[str, float] = defaultdict(float)
        self.win_rate: dict[str, float] = {}
        self.win_loss_ratio: dict[str, float] = {}
        self._evidence: dict[str, Evidence] = {}

    def update_trade_result(self, symbol: str, pnl: float, entry: float, exit: float) -> None:
        """Take one closed trade in, in USD; the prices are the caller's record."""
        self.record(symbol, pnl)

    def record(self, symbol: str, pnl: float) -> None:
        """Take one result in: USD, or any unit that is the same for all results of a key."""
        self.total_trades[symbol] += 1
        if pnl > 0:
            self.wins[symbol] += 1
            self.total_win_amount[symbol] += pnl
        else:
            self.losses[symbol] += 1
            self.total_loss_amount[symbol] -= pnl
        self._summarise(symbol)

    def get_win_rate(self, symbol: str) -> float | None:
        """Wins over trades; None before the first."""
        return self.win_rate.get(symbol)

    def get_ratio(self, symbol: str) -> float | None:
        """Mean win over mean loss; None until there has been one of each with a cost."""
        return self.win_loss_ratio.get(symbol)

    def evidence(self, key: str) -> Evidence:
        """Source of the shrinking: the mean of a Beta posterior whose prior is centred on a half.

        The payoff is drawn towards its prior with the same strength: a mean of so many trades more.
        """
        return self._evidence.get(key, _NO_EVIDENCE)

    def _summarise(self, key: str) -> None:
        self.win_rate[key] = self.wins[key] / self.total_trades[key]
        if self.wins[key] and self.total_loss_amount[key] > 0:
            mean_win = self.total_win_amount[key] / self.wins[key]
            mean_loss = self.total_loss_amount[key] / self.losses[key]
            self.win_loss_ratio[key] = mean_win / mean_loss
        trades = self.total_trades[key]
        rate = (self.wins[key] + 0.5 * self._prior_trades) / (trades + self._prior_trades)
        self._evidence[key] = Evidence(trades=trades, win_rate=rate, payoff=self._shrunk_payoff(key, trades))

    def _shrunk_payoff(self, key: str, trades: int) -> float | None:
        measured = self.win_loss_ratio.get(key)
        if measured is None:
            return None
        return (trades * measured + self._prior_trades * self._payoff_prior) / (trades + self._prior_trades)


def in_units_of_risk(trip: RoundTrip) -> float:
    """The result over what the stop would have cost; over the notional where there was no stop."""
    risk_usd = trip.risk_usd or trip.entry_price_usd * trip.quantity
    return float(trip.pnl_usd) / float(risk_usd)
