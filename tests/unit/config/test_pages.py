"""The settings page is the models', not somebody's memory of them."""

from __future__ import annotations

from pathlib import Path

from ordinis.config.pages import settings_page

PAGE = Path(__file__).parents[3] / "docs" / "settings.md"


def test_the_settings_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == settings_page(), "run `ordinis config keys > docs/settings.md`"


def test_the_page_has_every_section_and_both_tiers() -> None:
    page = settings_page()
    assert all(f"\n## {name}\n" in page for name in ("account", "data.feed_share", "tiers", "exchange.fees", "run"))
    assert "| key | `small` | `standard` | what and why |" in page
