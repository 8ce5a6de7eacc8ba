from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ordinis.data.actions import read_actions, within, write_actions
from ordinis.data.importing import check_files, describe, import_actions, import_files
from ordinis.data.store import BarStore
from ordinis.domain.errors import DataError
from ordinis.domain.events import ActionKind

MakeFrame = Callable[..., pd.DataFrame]
SPLIT, DIVIDEND, REMOVAL = ActionKind.SPLIT, ActionKind.DIVIDEND, ActionKind.REMOVAL
HEADER = "symbol,ex_date,kind,ratio,amount_usd"
FIRST, LAST = date(2025, 1, 13), date(2025, 1, 16)
EX_DATE = date(2025, 1, 15)


def written(folder: Path, *rows: str, header: str = HEADER) -> Path:
    path = folder / "actions.csv"
    path.write_text("\n".join([header, *rows]), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("header", "row", "kind", "ratio", "amount"),
    [
        (HEADER, "AAA,2025-01-15,split,4:1,", SPLIT, "4", None),
        (HEADER, "AAA,2025-01-15,reverse split,1-for-10,", SPLIT, "0.1", None),
        (HEADER, "AAA,2025-01-15,Split,3 for 2,", SPLIT, "1.5", None),
        (HEADER, "AAA,2025-01-15,split,1/3,", SPLIT, "0.333333333333333", None),
        ("Ticker,Ex-Date,Type,Value", "AAA,2025-01-15,forward_split,2", SPLIT, "2", None),
        ("symbol,ex_date,type,new_rate,old_rate", "AAA,2025-01-15,split,7,1", SPLIT, "7", None),
        ("Symbol,Date,Action,Amount", "AAA,2025-01-15,Cash Dividend,$0.25", DIVIDEND, "1", "0.25"),
        (HEADER, 'AAA,2025-01-15,merger,,"1,054.20"', REMOVAL, "1", "1054.20"),
        (HEADER, "AAA,2025-01-15,delisted,,", REMOVAL, "1", None),
    ],
)
def test_common_spellings_are_understood(
    tmp_path: Path, header: str, row: str, kind: ActionKind, ratio: str, amount: str | None
) -> None:
    [one] = read_actions(written(tmp_path, row, header=header))
    assert (one.symbol, one.ex_date, one.kind) == ("AAA", EX_DATE, kind)
    assert (str(one.ratio), None if one.amount_usd is None else str(one.amount_usd)) == (ratio, amount)
    assert one.id == f"{kind.value}-AAA-2025-01-15"


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (["aaa,2025-01-15,split,4:1,"], r"row 1: the symbol must be written in capitals, was 'aaa'; write a row as"),
        (["", "AAA,15.1.2025,split,4:1,"], "row 2: the ex-date must be written as 2020-08-31, was '15.1.2025'"),
        (["AAA,2025-01-15,spinoff,4:1,"], "row 1: the kind must be split, dividend or removal, was 'spinoff'"),
        (["AAA,2025-01-15,split,1:1,"], "needs a ratio of new shares to old ones, for example 4:1 or 1:10, was '1:1'"),
        (["AAA,2025-01-15,split,4:0,"], "needs a ratio"),
        (["AAA,2025-01-15,split,-2,"], "needs a ratio"),
        (["AAA,2025-01-15,split,,0.25"], "needs a ratio of new shares to old ones, .* was ''"),
        (["AAA,2025-01-15,dividend,,"], "a dividend needs an amount in USD a share, for example 0.25, was ''"),
        (["AAA,2025-01-15,removal,,much"], "a removal needs an amount in USD a share"),
        (["AAA,2025-01-15,split,2,"] * 2, "row 2: a second split of AAA on 2025-01-15; remove one of the two"),
    ],
)
def test_a_row_that_cannot_be_used_is_named_with_what_is_expected(tmp_path: Path, rows: list[str], told: str) -> None:
    with pytest.raises(DataError, match=told):
        read_actions(written(tmp_path, *rows))


@pytest.mark.parametrize(("header", "lacks"), [("symbol,ratio", "ex_date, kind"), ("", "symbol, ex_date, kind")])
def test_a_file_without_the_columns_says_which(tmp_path: Path, header: str, lacks: str) -> None:
    with pytest.raises(DataError, match=f"has no column {lacks} "):
        read_actions(written(tmp_path, header=header))


def test_what_is_written_reads_back_as_the_same(tmp_path: Path) -> None:
    rows = ["BBB,2025-01-16,split,1:3,", "AAA,2025-01-15,dividend,,0.250", "AAA,2025-01-17,removal,,"]
    actions = read_actions(written(tmp_path, *rows))
    assert [one.symbol for one in actions] == ["AAA", "BBB", "AAA"]  # By date.
    write_actions(tmp_path / "beside" / "again.csv", actions)
    assert read_actions(tmp_path / "beside" / "again.csv") == actions
    assert [one.symbol for one in within(actions, date(2025, 1, 16), date(2025, 1, 16))] == ["BBB"]
    assert [one.kind for one in within(actions, symbols=["AAA"])] == [DIVIDEND, REMOVAL]


@pytest.fixture
def split_prices(tmp_path: Path, make_minutes: MakeFrame) -> Path:
    """AAA as it was traded around a split of four for one; BBB is quiet."""
    frame = make_minutes(FIRST, LAST)
    after = (frame["symbol"] == "AAA") & (frame["timestamp"] >= pd.Timestamp(EX_DATE, tz="UTC"))
    for name in ("open", "high", "low", "close"):
        frame[name] = np.where(after, frame[name] / 4, frame[name])
    path = tmp_path / "bars.csv"
    frame.to_csv(path, index=False)
    return path


def test_a_jump_that_a_known_split_explains_is_no_finding(tmp_path: Path, split_prices: Path) -> None:
    assert [one.symbol for one in check_files([split_prices]).of_kind("split")] == ["AAA"]
    known = check_files([split_prices], actions=written(tmp_path, "AAA,2025-01-15,split,4:1,"))
    assert known.findings == ()


@pytest.mark.parametrize("row", ["BBB,2025-01-15,split,4:1,", "AAA,2025-01-16,split,4:1,", "AAA,2025-01-15,split,2,"])
def test_a_split_that_the_prices_do_not_show_is_refused(tmp_path: Path, split_prices: Path, row: str) -> None:
    report = check_files([split_prices], actions=written(tmp_path, row))
    assert [one.symbol for one in report.of_kind("unsplit_prices")] == [row[:3]]
    with pytest.raises(DataError, match="a split is known for this day and the prices do not show it"):
        report.require_good("bars.csv")


def test_actions_come_with_the_bars_and_outlive_a_new_import(
    tmp_path: Path, split_prices: Path, store: BarStore
) -> None:
    actions = written(tmp_path, "AAA,2025-01-15,split,4:1,", "ZZZ,2025-01-15,dividend,,1", "BBB,2025-01-16,div,,0.5")
    import_files([split_prices], name="set", store=store, actions=actions)
    again = import_files([split_prices], name="set", store=store, replace_set=True)
    assert again.report.findings == ()  # The split is still known.
    assert [one.symbol for one in again.data.actions()] == ["AAA", "BBB"]
    assert [one.symbol for one in again.data.actions(date(2025, 1, 16))] == ["BBB"]
    assert again.data.actions(last=date(2025, 1, 14)) == ()
    assert [row.actions for row in describe(store)] == [2]


def test_a_set_takes_a_table_of_its_own_symbols_once(tmp_path: Path, split_prices: Path, store: BarStore) -> None:
    data = import_files([split_prices], name="set", store=store).data
    assert data.actions() == ()
    with pytest.raises(DataError, match="has no corporate action of any symbol of set: AAA, BBB"):
        import_actions(written(tmp_path, "ZZZ,2025-01-15,split,2,"), data)
    table = written(tmp_path, "AAA,2025-01-15,split,4:1,", "ZZZ,2025-01-15,split,2,")
    assert [one.symbol for one in import_actions(table, data)] == ["AAA"]
    with pytest.raises(DataError, match=r"set has corporate actions already \(1\): replace them all"):
        import_actions(table, data)
    replaced = import_actions(written(tmp_path, "BBB,2025-01-16,div,,0.5"), data, replace_table=True)
    assert (data.actions(), replaced[0].amount_usd) == (replaced, Decimal("0.5"))
