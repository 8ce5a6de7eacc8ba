"""The job every engine is given, and its reference in plain Python: the yardstick of all ratios.

A 20/60 average crossover on every symbol of one shared account:

  fast, slow   plain means of a symbol's last 20 and last 60 closes, this minute's included
  state rule   from a symbol's 60th bar on, on every bar (a state, not the moment of crossing):
                 fast > slow and no position  ->  buy floor(target * equity / close) shares
                 fast < slow and a position   ->  sell all of it
  target       fraction of equity a position: 0.05 for 16 symbols, 0.8 / N for 100
  equity       cash + shares * each symbol's last seen close
  cash         100,000 at the start; commission, spread and slippage are 0; nothing is refused
  orders       market orders for whole shares, filled in full at the NEXT bar's open

Two other fill rules are given: `this_close` fills at once, at the close the decision was made on;
`next_close` as next_open, but at the next bar's close.

The reference takes closes in one symbol at a time, so its equity holds this minute's prices of the symbols
up to the one it sizes, and the last minute's of those after it. An engine that values its book at one moment
has the same fills and, by some dollars, another final equity: `valued_once` is the same job, valued so.
"""

from __future__ import annotations

import time

import numpy as np

from bars import Bars

FAST = 20
SLOW = 60
CASH_USD = 100_000.0
FILL_RULES = ("next_open", "this_close", "next_close")

# (data, fill rule) -> final equity in USD and fills, as `reference` computes them.
EXPECTED = {
    ("small", "next_open"): (99_110.85, 2_430),
    ("small", "this_close"): (98_996.97, 2_430),
    ("small", "next_close"): (98_883.54, 2_430),
    ("large", "next_open"): (100_647.78, 45_471),
    ("large", "this_close"): (100_613.28, 45_476),
    ("large", "next_close"): (100_602.14, 45_471),
}

Rows = list[list[float]]  # a list a minute, a float a symbol


def target_fraction(symbols: int) -> float:
    """Fraction of equity a position is bought for."""
    return 0.05 if symbols <= 16 else 0.8 / symbols


def reference(  # noqa: PLR0912
    opens: Rows, closes: Rows, target: float, fill: str = "next_open"
) -> tuple[float, int]:
    """The job in plain Python: (final equity in USD, fills).

    One long function on purpose: it is also the yardstick, and calls would slow it down.
    """
    symbols = range(len(closes[0]))
    cash = CASH_USD
    fills = 0
    shares = [0 for _ in symbols]
    waiting = [0 for _ in symbols]  # shares of the order that fills on the next bar
    last_close = [0.0 for _ in symbols]
    fast_sum = [0.0 for _ in symbols]
    slow_sum = [0.0 for _ in symbols]
    for minute, close_row in enumerate(closes):
        open_row = opens[minute]
        leaves_fast = closes[minute - FAST] if minute >= FAST else None
        leaves_slow = closes[minute - SLOW] if minute >= SLOW else None
        for s in symbols:
            quantity = waiting[s]
            if quantity:
                price = open_row[s] if fill == "next_open" else close_row[s]
                shares[s] += quantity
                cash -= quantity * price
                waiting[s] = 0
                fills += 1
        for s in symbols:
            close = close_row[s]
            last_close[s] = close
            if leaves_fast is None:
                fast_sum[s] += close
            else:
                fast_sum[s] += close - leaves_fast[s]
            if leaves_slow is None:
                slow_sum[s] += close
            else:
                slow_sum[s] += close - leaves_slow[s]
            if minute < SLOW - 1:
                continue
            fast = fast_sum[s] / FAST
            slow = slow_sum[s] / SLOW
            held = shares[s]
            if fast > slow and held == 0:
                equity = cash
                for k in symbols:
                    equity += shares[k] * last_close[k]
                quantity = int(target * equity / close)
            elif fast < slow and held > 0:
                quantity = -held
            else:
                continue
            if quantity == 0:
                continue
            if fill == "this_close":
                shares[s] += quantity
                cash -= quantity * close
                fills += 1
            else:
                waiting[s] = quantity
    return cash + sum(quantity * close for quantity, close in zip(shares, last_close, strict=True)), fills


def valued_once(bars: Bars, target: float, fill: str = "next_open") -> tuple[float, int]:
    """The job with the book valued once a minute, at that minute's closes: (final equity in USD, fills)."""
    cash, fills = CASH_USD, 0
    shares, waiting = np.zeros(len(bars.symbols)), np.zeros(len(bars.symbols))
    fast_sum, slow_sum = np.zeros(len(bars.symbols)), np.zeros(len(bars.symbols))
    for minute, close in enumerate(bars.close):
        cash -= float(waiting @ (bars.open[minute] if fill == "next_open" else close))
        shares, fills = shares + waiting, fills + int(np.count_nonzero(waiting))
        fast_sum = fast_sum + (close - (bars.close[minute - FAST] if minute >= FAST else 0.0))
        slow_sum = slow_sum + (close - (bars.close[minute - SLOW] if minute >= SLOW else 0.0))
        waiting = np.zeros_like(shares)
        if minute < SLOW - 1:
            continue
        fast, slow = fast_sum / FAST, slow_sum / SLOW
        buys, sells = (fast > slow) & (shares == 0), (fast < slow) & (shares > 0)
        waiting[buys] = np.floor(target * (cash + float(shares @ close)) / close[buys])
        waiting[sells] = -shares[sells]
        if fill == "this_close":
            cash -= float(waiting @ close)
            shares, fills = shares + waiting, fills + int(np.count_nonzero(waiting))
            waiting = np.zeros_like(shares)
    return cash + float(shares @ bars.close[-1]), fills


class Yardstick:
    """CPU seconds a bar of the plain loop on "small", in this process."""

    def __init__(self, small: Bars) -> None:
        self._opens = small.open.tolist()
        self._closes = small.close.tolist()
        self._target = target_fraction(len(small.symbols))

    def seconds_per_bar(self, repeats: int = 3) -> float:
        """The best of some repeats, now."""
        best = float("inf")
        for _ in range(repeats):
            started = time.process_time()
            reference(self._opens, self._closes, self._target)
            best = min(best, time.process_time() - started)
        return best / (len(self._closes) * len(self._closes[0]))
