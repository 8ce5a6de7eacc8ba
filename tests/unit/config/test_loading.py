"""Settings from files and overrides: what holds, and what is said of what does not."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from ordinis.config import Settings, load, template
from ordinis.config.keys import field_at, known_keys, model_in
from ordinis.config.writing import as_toml
from ordinis.domain.errors import ConfigError


def _file(folder: Path, text: str) -> Path:
    path = folder / "ordinis.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_without_a_file_the_defaults_hold() -> None:
    settings = load()
    assert settings == Settings()
    assert settings.account.cash_usd == Decimal(14999)
    assert settings.tier("standard").equity_min_usd == Decimal(25000)


def test_the_written_template_gives_the_defaults(tmp_path: Path) -> None:
    assert load(_file(tmp_path, template())) == Settings()


def test_settings_written_as_toml_are_read_back_the_same(tmp_path: Path) -> None:
    changed = load(
        None,
        [
            'strategies.parameters.atr_rsi.note=a "quoted" \\ word',
            "strategies.weights.ema_trend=0.5",
            "strategies.exit_timeframe.ema_trend=1H",
            "data.symbols=AAPL,BRK.B",
            "tiers.small.max_positions=3",
            "exchange.fees.taf_usd_per_share=0.000001",
            "exchange.half_spread_bps=by_price",
        ],
    )
    assert load(_file(tmp_path, as_toml(changed))) == changed


@pytest.mark.parametrize(
    ("override", "section", "key", "value"),
    [
        ("account.cash_usd=14999.10", "account", "cash_usd", Decimal("14999.1")),
        ("account.fractional=false", "account", "fractional", False),
        ("compliance.regime=pattern_day_trader", "compliance", "regime", "pattern_day_trader"),
        ("strategies.enabled=atr_rsi,ema_trend", "strategies", "enabled", ("atr_rsi", "ema_trend")),
        ('strategies.enabled=["idle"]', "strategies", "enabled", ("idle",)),
        ("data.symbols=", "data", "symbols", ()),
        ("account.book=2", None, None, "account.book must be text of the form ^[a-z]"),
        ("risk.cash_buffer_fraction=0", "risk", "cash_buffer_fraction", 0.0),
        (" run.seed = 11 ", "run", "seed", 11),
        ("exchange.half_spread_bps=by_price", "exchange", "half_spread_bps", "by_price"),
        ("exchange.half_spread_bps=3", "exchange", "half_spread_bps", 3.0),
    ],
)
def test_an_override_is_typed_by_its_key(override: str, section: str | None, key: str | None, value: object) -> None:
    if section is None or key is None:
        with pytest.raises(ConfigError) as error:
            load(None, [override])
        assert str(value) in str(error.value)
    else:
        assert getattr(getattr(load(None, [override]), section), key) == value


def test_tiers_are_overridden_by_name_and_the_others_stay() -> None:
    settings = load(None, ["tiers.small.method=FIXED_PERCENT", "tiers.small.max_positions=2"])
    assert (settings.tier("small").method, settings.tier("small").max_positions) == ("FIXED_PERCENT", 2)
    assert settings.tier("standard") == Settings().tier("standard")


def test_the_last_override_wins_over_the_file(tmp_path: Path) -> None:
    path = _file(tmp_path, "[account]\ncash_usd = 500\n[risk]\ncash_buffer_fraction = 0.2\n")
    settings = load(path, ["account.cash_usd=600", "account.cash_usd=700"])
    assert (settings.account.cash_usd, settings.risk.cash_buffer_fraction) == (Decimal(700), 0.2)


def test_dates_and_nested_tables_are_read(tmp_path: Path) -> None:
    settings = load(_file(tmp_path, "[exchange.fees]\nas_of = 2027-01-02\nenabled = false\n"))
    assert (settings.exchange.fees.as_of, settings.exchange.fees.enabled) == (date(2027, 1, 2), False)


def test_folders_are_relative_to_the_settings_file(tmp_path: Path) -> None:
    settings = load(
        _file(
            tmp_path,
            '[data]\nstore_dir = "bars"\nactions_file = "splits.csv"\n[journal]\ndir = "/elsewhere"\n'
            '[run]\nstate_dir = "state"\n[broker]\nkey_file = "keys"\n[risk]\nsector_file = "sectors.csv"\n',
        )
    )
    assert (settings.data.store_dir, settings.journal.dir) == (str(tmp_path / "bars"), "/elsewhere")
    assert (settings.data.actions_file, settings.run.state_dir) == (
        str(tmp_path / "splits.csv"),
        str(tmp_path / "state"),
    )
    assert (settings.broker.key_file, settings.risk.sector_file) == (
        str(tmp_path / "keys"),
        str(tmp_path / "sectors.csv"),
    )


def test_a_mark_at_the_beginning_of_a_file_is_passed_over(tmp_path: Path) -> None:
    """As some editors write it."""
    assert load(_file(tmp_path, "\ufeff[account]\ncash_usd = 5000\n")).account.cash_usd == 5000


MESSAGES = [
    ("risk.cash_buffer_fraction=2", "risk.cash_buffer_fraction must be in [0, 1), was 2; did you mean 0.02?"),
    ("risk.cash_buffer_fraction=-1", "risk.cash_buffer_fraction must be in [0, 1), was -1"),
    ("risk.cash_bufer_fraction=0.1", "there is no setting risk.cash_bufer_fraction; did you mean risk.cash_buffer_fr"),
    ("risk.cash_usd=3", "there is no setting risk.cash_usd; did you mean account.cash_usd?"),
    ("nonsense.zzz=3", "there is no setting nonsense"),
    ("account.cash_usd=much", 'account.cash_usd must be a number, was "much"'),
    ("account.cash_usd=0", "account.cash_usd must be above 0, was 0"),
    ("account.cash_usd=nan", "account.cash_usd must be a finite number"),
    ("account.multiplier=3", "account.multiplier must be one of 1, 2, 4, was 3"),
    ("account.fractional=yes", 'account.fractional must be true or false, was "yes"'),
    ("compliance.days=3", "there is no setting compliance.days"),
    ("sizing.marginal_risk_ratio_max=0.5", "marginal_risk_ratio_max must be 0 (off) or at least 1, was 0.5"),
    ("compliance.day_trades_max=2.5", "compliance.day_trades_max must be a whole number, was 2.5"),
    ("compliance.regime=pdt", 'compliance.regime must be one of "auto", "intraday_margin"'),
    ("tiers.small.method=fixed_percent", "did you mean FIXED_PERCENT?"),
    ("tiers.small.method=KELY", "did you mean KELLY?"),
    ("tiers.small.method=mean-varianc", "did you mean MEAN_VARIANCE?"),
    ('data.symbols=["SPY",', 'data.symbols must be a list, was "['),
    ("tiers.small.max_position_pct=20", "tiers.small.max_position_pct must be in (0, 1], was 20; did you mean 0.2?"),
    ("tiers.smal.method=HALF_KELLY", "there is no tier smal, only small, standard; did you mean small?"),
    ("tiers.small=3", "expected tiers.NAME.key=value"),
    ("tiers.standard.equity_min_usd=0", "tiers: equity_min_usd must rise, was 0, 0"),
    ("tiers.small.equity_min_usd=10", "tiers: the first must begin at equity_min_usd = 0"),
    ("tiers.small.name=standard", "tiers: each name is used once"),
    ("strategies.enabled=", "strategies.enabled must be a list of at least one, was []"),
    ("strategies.weights.atr_rsi=-1", "strategies.weights.atr_rsi must be at least 0"),
    ("strategies.score_history_min=9000", "score_history_min (9000) must not be above score_history_max (5000)"),
    ("sizing.volatility_min_sessions=21", "volatility_min_sessions (21) must not be above"),
    ("execution.exit_retry_minutes=61", "exit_retry_minutes (61) must not be above"),
    ("risk.drawdown_fraction_warn=0.5", "drawdowns must rise from warn to halve to stop, were 0.5, 0.08, 0.1"),
    (
        "exchange.half_spread_bps=by_prize",
        'exchange.half_spread_bps: must be in [0, 10000), or "by_price", was "by_prize"',
    ),
    ("exchange.half_spread_bps=-1", 'exchange.half_spread_bps: must be in [0, 10000), or "by_price", was -1'),
    ("exchange.half_spread_bps=10000", 'exchange.half_spread_bps: must be in [0, 10000), or "by_price", was 10000'),
    ("exchange.half_spread_bps=true", 'exchange.half_spread_bps: must be in [0, 10000), or "by_price", was true'),
    ("strategies.exit_timeframe.macd=1W", "strategies.exit_timeframe.macd: must be a bar like 15m, 1H or 1D, within"),
    ("strategies.exit_timeframe.macd=30", "must be a bar like 15m, 1H or 1D, within a session, was"),
    ("strategies.exit_timeframe.macd=7H", 'must be a bar like 15m, 1H or 1D, within a session, was "7H"'),
    ("strategies.exit_timeframe.macd=0m", 'must be a bar like 15m, 1H or 1D, within a session, was "0m"'),
    ("data.symbols=aapl", 'symbols are written in capitals, was "aapl"; did you mean "AAPL"?'),
    ("data.symbols=AAPL,AAPL", "each symbol is named once"),
    ("account=3", "expected section.key=value"),
    ("account.cash_usd", "expected section.key=value"),
    ("account.cash_usd.deep=3", "account.cash_usd must be a number"),
]


@pytest.mark.parametrize(("override", "message"), MESSAGES)
def test_a_bad_override_is_named_with_what_was_expected(override: str, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        load(None, [override])
    assert message in str(error.value)
    assert str(error.value).startswith("--set")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[account\n", "not TOML: Expected ']' at the end of a table declaration (at line 1, column 9)"),
        ("account = 3\n", "account must be a section, was 3"),
        ("[acount]\ncash_usd = 3\n", "there is no setting acount; did you mean account?"),
        ('[account]\ncash_usd = "3"\n', 'account.cash_usd must be a number, was "3"'),
        ('tiers = "small"\n', 'tiers must be a list, was "small"'),
        ("[[tiers]]\nname = 'one'\nequity_min_usd = 0\n", "tiers.one.method is missing"),
        ("[data]\nsymbols = [1]\n", "data.symbols.0 must be text, was 1"),
        ("[exchange.fees]\nas_of = 3\n", "exchange.fees.as_of must be a date like 2026-11-22, was 3"),
        ("[broker]\nsecret_key = 'x'\n", "broker.secret_key looks like a secret"),
    ],
)
def test_a_bad_file_is_named_with_its_key(tmp_path: Path, text: str, message: str) -> None:
    path = _file(tmp_path, text)
    with pytest.raises(ConfigError) as error:
        load(path)
    assert str(path) in str(error.value)
    assert message in str(error.value)


def test_all_findings_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as error:
        load(None, ["risk.cash_buffer_fraction=2", "account.multiplier=3"])
    assert len(str(error.value).splitlines()) == 2


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="`ordinis init` writes one"):
        load(tmp_path / "none.toml")


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ordinis.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="cannot be read"):
        load(path)


@pytest.mark.parametrize("key", known_keys())
def test_every_key_has_a_reason(key: str) -> None:
    field = field_at(key.split("."))
    if key.startswith("tiers.") and key.count(".") == 1:
        return
    assert field is not None
    assert model_in(field.annotation) or field.description


def test_a_cash_account_has_no_margin() -> None:
    with pytest.raises(ConfigError, match=r"regime = cash needs account\.multiplier = 1, was 2"):
        load(None, ["compliance.regime=cash"])
    assert load(None, ["compliance.regime=cash", "account.multiplier=1"]).compliance.regime == "cash"
