"""Lists of fills in many brokers' words; what cannot be read is named with its row."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from ordinis.data.fill_files import read_fills
from ordinis.domain.errors import DataError

PLAIN = "symbol,side,quantity,time,order_id\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "fills.csv"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "text",
    [
        PLAIN + "AAPL,buy,100,2025-01-15T10:31:00-05:00,7\n",
        PLAIN + "aapl,BOT,100,2025-01-15T15:31:00Z,7\n",
        "Symbol;Action;Qty;Date/Time;Order ID\nAAPL;Buy to Open;100;2025-01-15 10:31:00;7\n",
        "Ticker\tBuy/Sell\tShares\tTime\tTrade Date\tOrder Number\nAAPL\tB\t100\t10:31:00\t2025-01-15\t7\n",
        'ClientOrderID,Instrument,Trans Code,Filled Qty,Filled At\n7,AAPL,Bought,"100",01/15/2025 10:31:00 AM\n',
        "\ufeffsymbol,quantity,datetime,order_ref\nAAPL,100,20250115;103100,7\n",  # The sign is the side.
        "activity_type,id,transaction_time,type,price,qty,side,symbol,leaves_qty,cum_qty,order_id,order_status\n"
        "FILL,20250115103100000::a,2025-01-15T15:31:00.000000000Z,fill,230,100,buy,AAPL,0,100,7,filled\n",
    ],
)
def test_any_broker_s_words_are_understood(tmp_path: Path, text: str) -> None:
    ((fill,), said) = read_fills(written(tmp_path, text))
    assert (fill.symbol, fill.side, fill.quantity, fill.order_id) == ("AAPL", "buy", Decimal(100), "7")
    assert fill.at_ns == 1_736_955_060 * 10**9
    assert said == []


@pytest.mark.parametrize("side", ["sell", "S", "SLD", "Sold", "Sell Short", "sell_short", "STC", "Sell to Open"])
def test_sales_have_many_names(tmp_path: Path, side: str) -> None:
    ((fill,), _) = read_fills(written(tmp_path, f"{PLAIN}AAPL,{side},1,2025-01-15 10:31:00,7\n"))
    assert fill.side == "sell"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (PLAIN + "AAPL,hold,1,2025-01-15 10:31,7\n", "row 2: the side must be buy or sell, .* was 'hold'"),
        (PLAIN + "AAPL,buy,1,2025-01-15 10:31,7\n\nAAPL,buy,x,2025-01-15 10:31,7\n", "row 4: the quantity .* was 'x'"),
        (PLAIN + "AAPL,buy,0,2025-01-15 10:31,7\n", "row 2: the quantity must be a number other than 0, was '0'"),
        (PLAIN + ",buy,1,2025-01-15 10:31,7\n", "row 2: there is no symbol"),
        (PLAIN + "AAPL,buy,1,yesterday,7\n", "row 2: the time must be like .* was 'yesterday'"),
        (PLAIN + "AAPL,buy,1,2025-01-15 10:31,\n", "row 2: there is no order id"),
        ("symbol,side,price\n", "row 1: there is no column for quantity, time, order id among symbol, side, price"),
        ("", "row 1: there is no column for symbol, .* among no names"),
        (PLAIN, "has no fills"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_row(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        read_fills(written(tmp_path, text))


def test_a_file_that_is_not_there_or_not_text_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no file"):
        read_fills(tmp_path / "none.csv")
    (tmp_path / "b.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="cannot be read as CSV"):
        read_fills(tmp_path / "b.csv")


def test_rows_out_of_order_are_sorted_and_said(tmp_path: Path) -> None:
    rows = ["A,buy,1,2025-01-15 10:31,1", "A,sell,1,2025-01-15 10:33,2", "A,buy,1,2025-01-15 10:32,3"]
    fills, said = read_fills(written(tmp_path, PLAIN + "\n".join(rows)))
    assert [fill.order_id for fill in fills] == ["1", "3", "2"]
    assert said == ["row 4 is earlier than the row before it: taken in order of time"]


def test_a_list_with_the_newest_first_is_read_from_its_end(tmp_path: Path) -> None:
    rows = ["A,sell,1,2025-01-15 10:33,2", "A,buy,1,2025-01-15 10:31,1", "A,buy,1,2025-01-15 10:31,0"]
    fills, said = read_fills(written(tmp_path, PLAIN + "\n".join(rows)))
    assert [fill.order_id for fill in fills] == ["0", "1", "2"]
    assert said == ["the file lists the newest first: read from its end"]


def test_an_execution_counts_once_and_twins_without_a_name_both(tmp_path: Path) -> None:
    named = "symbol,side,quantity,time,order_id,exec_id\n" + "A,buy,1,2025-01-15 10:31,1,x\n" * 2
    fills, said = read_fills(written(tmp_path, named))
    assert (len(fills), said) == (1, ["row 3 repeats execution x of row 2: taken once"])
    fills, said = read_fills(written(tmp_path, PLAIN + "A,buy,1,2025-01-15 10:31,1\n" * 2))
    assert (len(fills), said) == (2, ["rows 2 and 3 are alike and name no execution: both are counted"])
