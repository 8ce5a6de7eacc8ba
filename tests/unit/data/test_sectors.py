"""Sectors: what comes with the installation, what a user adds, and what is said of a bad line."""

from __future__ import annotations

from pathlib import Path

import pytest

from ordinis.data.sectors import sectors
from ordinis.domain.errors import DataError

DEFAULT = "SPY QQQ IWM AAPL MSFT NVDA TSLA AMD META GOOGL AMZN NFLX JPM BAC XOM CVX"
FUNDS = "DIA VOO VTI TLT GLD XLK XLF XLE SMH EFA HYG"
SP100 = (
    "AAPL ABBV ABT ACN ADBE AIG AMD AMGN AMT AMZN AVGO AXP BA BAC BK BKNG BLK BMY BRK.B C CAT CL CMCSA COF COP COST "
    "CRM CSCO CVS CVX DE DHR DIS DUK EMR FDX GD GE GILD GM GOOG GOOGL GS HD HON IBM INTC INTU ISRG JNJ JPM KO LIN LLY "
    "LMT LOW MA MCD MDLZ MDT MET META MMM MO MRK MS MSFT NEE NFLX NKE NOW NVDA ORCL PEP PFE PG PLTR PM PYPL QCOM RTX "
    "SBUX SCHW SO SPG T TGT TMO TMUS TSLA TXN UBER UNH UNP UPS USB V VZ WFC WMT XOM"
)


@pytest.mark.parametrize("symbols", [DEFAULT, SP100, FUNDS])
def test_the_table_knows_what_is_commonly_traded(symbols: str) -> None:
    assert [symbol for symbol in symbols.split() if symbol not in sectors()] == []


def test_the_table_says_what_it_should() -> None:
    found = sectors()
    assert [found[one] for one in ("AAPL", "JPM", "XOM", "AMZN", "META", "SPY", "XLK")] == [
        "Information Technology",
        "Financials",
        "Energy",
        "Consumer Discretionary",
        "Communication Services",
        "Broad Market",
        "Information Technology",
    ]


def test_a_user_s_own_lines_go_before_it_and_add_to_it(tmp_path: Path) -> None:
    own = tmp_path / "own.csv"
    own.write_text('\ufeffSymbol, Sector\nAAPL, Mine\n\nNEW1,"Oil, and gas"\n', encoding="utf-8")
    found = sectors(own)
    assert (found["AAPL"], found["NEW1"], found["MSFT"]) == ("Mine", "Oil, and gas", "Information Technology")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1: the header must be symbol,sector, was ''"),
        ("AAPL,Tech\n", "line 1: the header must be symbol,sector, was 'aapl,tech'; write one SYMBOL,SECTOR a line"),
        ("symbol,sector\nAAPL\n", "line 2: expected a symbol and a sector, was 'AAPL'; write one SYMBOL,SECTOR"),
        ("symbol,sector\nAAPL,\n", "line 2: expected a symbol and a sector, was 'AAPL,'"),
        ("symbol,sector\nAAPL,Tech,more\n", "line 2: expected a symbol and a sector, was 'AAPL,Tech,more'"),
        ("symbol,sector\n\naapl,Tech\n", "line 3: symbols are written in capitals, was 'aapl'; write AAPL,Tech"),
        (
            "symbol,sector\nAAPL,Tech\nAAPL,Other\n",
            "line 3: AAPL is named a second time, as 'Other' after 'Tech'; remove one of the two lines",
        ),
    ],
)
def test_a_bad_line_is_named_with_its_remedy(tmp_path: Path, text: str, said: str) -> None:
    own = tmp_path / "own.csv"
    own.write_text(text)
    with pytest.raises(DataError) as failure:
        sectors(own)
    assert str(failure.value).startswith(f"{own}, {said}")


@pytest.mark.parametrize("content", [None, b"symbol,sector\nA\xff,x\n"])
def test_a_file_that_cannot_be_read_says_which_setting_to_correct(tmp_path: Path, content: bytes | None) -> None:
    own = tmp_path / "own.csv"
    if content is not None:
        own.write_bytes(content)
    with pytest.raises(DataError, match=r"own\.csv cannot be read .*correct risk\.sector_file, or leave it empty"):
        sectors(own)
