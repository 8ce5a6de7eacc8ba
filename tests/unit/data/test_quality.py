from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from ordinis.data.importing import check_files
from ordinis.data.quality import QualityReport, Severity

MakeFrame = Callable[..., pd.DataFrame]
Change = Callable[[pd.DataFrame], pd.DataFrame]
NOTE, WARN, REFUSE = Severity.NOTE, Severity.WARN, Severity.REFUSE
FIRST, LAST = date(2025, 11, 24), date(2025, 12, 1)  # Thanksgiving is closed, the day after is a half-day.


def gate(tmp_path: Path, *frames: pd.DataFrame) -> QualityReport:
    paths = [tmp_path / f"file{i}.parquet" for i in range(len(frames))]
    for path, frame in zip(paths, frames, strict=True):
        frame.to_parquet(path, index=False)
    return check_files(paths)


def set_rows(column: str, value: float, rows: slice) -> Change:
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        frame = frame.astype({column: "float64"})
        frame.loc[frame.index[rows], column] = value
        return frame

    return change


def moved(text: str) -> Change:
    return lambda frame: frame.assign(timestamp=frame["timestamp"] + pd.Timedelta(text))


def every_fifth_minute(frame: pd.DataFrame) -> pd.DataFrame:
    kept: pd.DataFrame = frame[frame.timestamp.dt.minute % 5 == 0]
    return kept


def claims_utc_is_new_york(frame: pd.DataFrame) -> pd.DataFrame:
    local = frame.timestamp.dt.tz_convert("America/New_York").dt.tz_localize(None)
    return frame.assign(timestamp=local.dt.tz_localize("UTC"))


def again(rows: slice, **changes: float) -> Change:
    return lambda frame: pd.concat([frame, frame.iloc[rows].assign(**changes)], ignore_index=True)


def with_bars_at(*times: str) -> Change:
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        extra = pd.concat([frame.iloc[[0]].assign(timestamp=pd.Timestamp(time)) for time in times])
        return pd.concat([frame, extra], ignore_index=True)

    return change


def zigzag(frame: pd.DataFrame) -> pd.DataFrame:
    """Ten minutes in which another company's bars stand between the own ones."""
    prices = ["open", "high", "low", "close"]
    frame.loc[100:119:2, prices] *= 3
    return frame


def spike(frame: pd.DataFrame) -> pd.DataFrame:
    frame.loc[100, ["open", "high", "low", "close"]] *= 3
    return frame


def without_session(frame: pd.DataFrame) -> pd.DataFrame:
    kept: pd.DataFrame = frame[frame.timestamp.dt.date != date(2025, 11, 25)]
    return kept


@pytest.mark.parametrize(
    ("change", "kind", "severity", "count"),
    [
        (set_rows("low", 0.0, slice(5, 7)), "nonpositive_price", WARN, 2),
        (set_rows("high", 0.01, slice(5, 7)), "price_outside_range", WARN, 2),
        (set_rows("close", 1e6, slice(0, 1)), "price_outside_range", WARN, 1),
        (set_rows("high", 0.01, slice(0, 100)), "price_outside_range", REFUSE, 100),
        (set_rows("open", float("nan"), slice(3, 4)), "null_price", WARN, 1),
        (set_rows("open", float("inf"), slice(3, 4)), "null_price", WARN, 1),
        (set_rows("volume", float("nan"), slice(3, 4)), "null_volume", WARN, 1),
        (set_rows("volume", float("nan"), slice(None)), "null_volume", REFUSE, 3540),
        (set_rows("volume", -1.0, slice(3, 4)), "negative_volume", WARN, 1),
        (set_rows("volume", 0.0, slice(3, 9)), "zero_volume", NOTE, 6),
        (set_rows("volume", 0.0, slice(0, 1000)), "zero_volume", WARN, 1000),
        (again(slice(10, 13)), "duplicate", WARN, 3),
        (again(slice(10, 13), volume=1.0), "contradicting_duplicate", REFUSE, 3),
        (lambda frame: frame.iloc[::-1], "unsorted", NOTE, 3538),
        (claims_utc_is_new_york, "wrong_timezone", REFUSE, None),
        (moved("-1h"), "wrong_timezone", REFUSE, None),
        (moved("5h"), "wrong_timezone", REFUSE, None),
        (moved("1min"), "end_stamped", REFUSE, None),
        (moved("30s"), "off_minute", REFUSE, 3540),
        (every_fifth_minute, "bar_size", REFUSE, 708),
        (with_bars_at("2025-11-28T18:00Z", "2025-11-28T20:59Z"), "after_half_day", WARN, 2),
        (with_bars_at("2025-11-28T21:00Z", "2025-11-26T14:29Z"), "outside_session", NOTE, 2),
        (with_bars_at("2025-11-27T15:00Z"), "closed_day", WARN, 1),
        (with_bars_at("2025-11-29T15:00Z"), "closed_day", WARN, 1),
        (lambda frame: frame.drop(index=range(100, 130)), "missing_minutes", NOTE, 30),
        (without_session, "missing_session", WARN, 1),
        (spike, "intraday_jump", WARN, 2),
        (zigzag, "mixed_prices", REFUSE, 20),
    ],
)
def test_a_fault_in_minutes_is_found_named_and_weighed(
    tmp_path: Path, make_minutes: MakeFrame, change: Change, kind: str, severity: Severity, count: int | None
) -> None:
    report = gate(tmp_path, change(make_minutes(FIRST, LAST).copy()))
    (finding,) = report.of_kind(kind)
    assert finding.severity is severity
    assert count is None or finding.count == count
    assert report.refused == (severity is REFUSE)
    assert finding.explanation


def test_good_minutes_are_not_found_fault_with(tmp_path: Path, make_minutes: MakeFrame) -> None:
    report = gate(tmp_path, make_minutes(FIRST, LAST))
    assert report.findings == ()
    assert report.kept[0].all()


def test_a_finding_shows_the_file_the_row_and_its_values(tmp_path: Path, make_minutes: MakeFrame) -> None:
    report = gate(tmp_path, set_rows("low", 0.0, slice(1775, 1776))(make_minutes(FIRST, LAST)))
    (row,) = report.of_kind("nonpositive_price")[0].rows
    assert (row.file, row.row, row.symbol, row.at) == ("file0.parquet", 1776, "BBB", "2025-11-24T14:35:00Z")
    assert "l=0 " in row.values


def test_rows_that_cannot_be_used_are_not_kept(tmp_path: Path, make_minutes: MakeFrame) -> None:
    frame = with_bars_at("2025-11-28T18:00Z", "2025-11-27T15:00Z", "2025-11-26T14:29Z")(make_minutes(FIRST, LAST))
    frame = again(slice(10, 11))(set_rows("low", 0.0, slice(5, 6))(frame))
    (kept,) = gate(tmp_path, frame).kept
    assert [i for i, keep in enumerate(kept) if not keep] == [5, 3540, 3541, 3542, 3543]


def test_an_accepted_refusal_becomes_a_warning(tmp_path: Path, make_minutes: MakeFrame) -> None:
    report = gate(tmp_path, zigzag(make_minutes(FIRST, LAST).copy()))
    assert report.refused
    softened = report.accepting({"mixed_prices"})
    assert not softened.refused
    assert softened.of_kind("mixed_prices")[0].severity is WARN


def scaled(factor: float, day: str, *, adjusted: bool = False, column: str = "date") -> Change:
    """All prices of AAA from that day on, times a factor; an adjusted close that either followed or knew better."""

    def change(frame: pd.DataFrame) -> pd.DataFrame:
        frame = frame.copy()
        original = frame.close.copy()
        later = (frame.symbol == "AAA") & (frame[column] >= day)
        frame.loc[later, ["open", "high", "low", "close"]] *= factor
        return frame.assign(adj_close=original if adjusted else frame.close)

    return change


def plain(change: Change) -> Change:
    return lambda frame: change(frame).drop(columns="adj_close")


@pytest.mark.parametrize(
    ("change", "kind", "severity"),
    [
        (plain(scaled(1 / 2, "2025-03-03")), "split", WARN),
        (plain(scaled(1 / 10, "2025-03-03")), "split", WARN),
        (plain(scaled(2 / 3, "2025-03-03")), "split", WARN),
        (plain(scaled(4.0, "2025-03-03")), "split", WARN),
        (plain(scaled(0.28, "2025-03-03")), "foreign_prices", REFUSE),
        (plain(scaled(0.45, "2025-03-03")), "foreign_prices", REFUSE),
        (plain(scaled(0.59, "2025-03-03")), "price_jump", WARN),
        (scaled(0.48, "2025-03-03"), "real_move", NOTE),  # The adjusted close fell as well.
        (scaled(0.5, "2025-03-03", adjusted=True), "split", WARN),  # It did not.
        (lambda frame: frame[(frame.date < "2025-02-03") | (frame.date > "2025-02-20")], "missing_session", WARN),
    ],
)
def test_a_jump_in_daily_bars_is_told_apart(
    tmp_path: Path, make_daily: MakeFrame, change: Change, kind: str, severity: Severity
) -> None:
    report = gate(tmp_path, change(make_daily(date(2025, 1, 2), date(2025, 4, 30))))
    (finding,) = report.findings
    assert (finding.kind, finding.severity) == (kind, severity)
    if kind != "missing_session":
        assert finding.rows[0].at == "2025-03-03"
        assert finding.symbol == "AAA"


def test_an_open_far_away_that_does_not_last_is_a_bad_print(tmp_path: Path, make_daily: MakeFrame) -> None:
    frame = make_daily(date(2025, 1, 2), date(2025, 4, 30))
    frame.loc[20, ["open", "high"]] = [200.0, 201.0]
    (finding,) = gate(tmp_path, frame).findings
    assert (finding.kind, finding.severity) == ("bad_print", WARN)


def test_a_jump_between_the_last_minute_and_the_next_morning_is_found(tmp_path: Path, make_minutes: MakeFrame) -> None:
    change = plain(scaled(1 / 4, "2025-11-26", column="timestamp"))
    (finding,) = gate(tmp_path, change(make_minutes(FIRST, LAST))).findings
    assert finding.kind == "split"
    assert finding.rows[0].at == "2025-11-26T14:30:00Z"


def test_daily_bars_on_another_scale_than_the_minutes_are_refused(
    tmp_path: Path, make_minutes: MakeFrame, make_daily: MakeFrame
) -> None:
    minutes, daily = make_minutes(FIRST, LAST), make_daily(date(2025, 10, 1), LAST)
    assert gate(tmp_path, minutes, daily).findings == ()
    daily.loc[daily.symbol == "BBB", ["open", "high", "low", "close"]] /= 10
    report = gate(tmp_path, minutes, daily)
    (finding,) = report.of_kind("daily_disagrees")
    assert (finding.severity, finding.symbol, finding.count) == (REFUSE, "BBB", 5)


def test_minutes_that_begin_on_another_scale_than_the_daily_bars_ended_are_found(
    tmp_path: Path, make_minutes: MakeFrame, make_daily: MakeFrame
) -> None:
    daily = make_daily(date(2025, 10, 1), date(2025, 11, 21))
    daily[["open", "high", "low", "close"]] *= 10
    report = gate(tmp_path, make_minutes(FIRST, LAST), daily)
    assert report.of_kind("split")[0].count == 2


def test_new_yorks_clock_is_recognised_across_a_change_to_winter_time(tmp_path: Path, make_minutes: MakeFrame) -> None:
    frame = claims_utc_is_new_york(make_minutes(date(2025, 10, 29), date(2025, 11, 5)))
    (finding,) = gate(tmp_path, frame).of_kind("wrong_timezone")
    assert "read as New York time, 100% would be" in finding.explanation


def test_a_thin_name_in_extended_hours_is_not_taken_for_end_stamped(tmp_path: Path, make_minutes: MakeFrame) -> None:
    frame = with_bars_at(*(f"2025-12-01T{time}Z" for time in ("14:20", "21:00")))(make_minutes(LAST, LAST, ("AAA",)))
    report = gate(tmp_path, frame[frame.timestamp != pd.Timestamp("2025-12-01T14:30Z")])
    assert not report.refused


def test_the_adjusted_close_of_the_daily_bars_explains_a_jump_in_the_minutes(
    tmp_path: Path, make_minutes: MakeFrame, make_daily: MakeFrame
) -> None:
    minutes = plain(scaled(0.28, "2025-11-26", column="timestamp"))(make_minutes(FIRST, LAST))
    daily = scaled(0.28, "2025-11-26")(make_daily(FIRST, LAST))
    assert [finding.kind for finding in gate(tmp_path, minutes, daily).findings] == ["real_move"]


def test_files_that_overlap_are_told(tmp_path: Path, make_minutes: MakeFrame) -> None:
    report = gate(
        tmp_path,
        make_minutes(FIRST, date(2025, 11, 25)),
        make_minutes(FIRST, FIRST),
    )
    (finding,) = report.of_kind("duplicate")
    assert finding.count == 2 * 390
    assert finding.rows[0].file == "file1.parquet"


def test_minutes_of_a_wholly_wrong_clock_are_refused(tmp_path: Path, make_minutes: MakeFrame) -> None:
    saturday = make_minutes(FIRST, FIRST).assign(timestamp=lambda frame: frame.timestamp + pd.Timedelta(days=5))
    assert gate(tmp_path, saturday).refused


class TestRealData:
    """The shared sets: every defect is caught, every good set passes."""

    @pytest.mark.parametrize(
        ("file", "kinds"),
        [
            ("tz_mislabelled_no_volume_2026-01_6sym.parquet", {"wrong_timezone", "null_volume"}),
            ("AAPL_data_wrong_symbol_rows.csv", {"foreign_prices"}),
        ],
    )
    def test_a_defective_set_is_refused_for_its_defects(self, shared: Path, file: str, kinds: set[str]) -> None:
        report = check_files([shared / "defects" / file])
        assert {finding.kind for finding in report.findings if finding.severity is REFUSE} == kinds

    def test_another_companys_prices_are_named_by_their_day(self, shared: Path) -> None:
        report = check_files([shared / "defects" / "AAPL_data_wrong_symbol_rows.csv"])
        (finding,) = report.of_kind("foreign_prices")
        assert finding.rows[0].at == "2013-05-02"
        assert "-72%" in finding.explanation

    @pytest.mark.parametrize(
        ("file", "warnings"),
        [
            ("minute_rth_2025-01_20sym", set()),
            ("minute_rth_iex_2025-09_2025-12_16sym", {"after_half_day"}),
            ("minute_ext_2015-12_lean_goog_halfday", {"after_half_day"}),
            ("minute_ext_2025-01_4sym", set()),
            ("minute_ext_2013-10_lean_4sym", set()),
            ("minute_rth_2019-02_23sym", set()),
            ("minute_rth_regimes_2022-2023_5sym", {"missing_session", "jump_after_pause"}),
            ("daily_2006_2017_djia31", {"price_outside_range", "nonpositive_price", "price_jump"}),
            ("daily_2024-04_2025-01_corpactions", {"split"}),
            ("daily_2005_2025-01_SPY_divadjusted", set()),
            ("daily_2000_2021_lean12_raw_unadjusted", {"split", "price_jump", "bad_print", "jump_after_pause"}),
        ],
    )
    def test_a_good_set_passes_with_these_warnings(self, shared: Path, file: str, warnings: set[str]) -> None:
        report = check_files([shared / f"{file}.parquet"])
        assert not report.refused
        assert {finding.kind for finding in report.findings if finding.severity is WARN} == warnings

    def test_the_152_faulty_rows_of_the_dow_set_are_left_out_and_named(self, shared: Path) -> None:
        report = check_files([shared / "daily_2006_2017_djia31.parquet"])
        assert int((~report.kept[0]).sum()) == 152
        assert len(report.of_kind("price_outside_range")[0].rows) == 5


def test_a_real_crash_is_told_from_splits_by_the_adjusted_close(tmp_path: Path) -> None:
    from bokeh_sampledata import stocks

    frames = [pd.DataFrame(getattr(stocks, name)).assign(symbol=name) for name in ("AAPL", "GOOG", "IBM", "MSFT", "FB")]
    pd.concat(frames).to_csv(tmp_path / "stocks.csv", index=False)
    report = check_files([tmp_path / "stocks.csv"])
    (split,), (real,) = report.of_kind("split"), report.of_kind("real_move")
    assert [(row.symbol, row.at) for row in split.rows] == [
        ("AAPL", "2000-06-21"),
        ("AAPL", "2005-02-28"),
        ("MSFT", "2003-02-18"),
    ]
    assert [(row.symbol, row.at) for row in real.rows] == [("AAPL", "2000-09-29")]
    assert not report.refused
