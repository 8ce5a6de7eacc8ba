"""All settings as one frozen value. Every position parameter of a run is in here; none is in code elsewhere."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, Self

from pydantic import Field, field_validator, model_validator

from ordinis.config.account import Account, Capital, Data, Strategies
from ordinis.config.base import Section
from ordinis.config.compliance import Compliance
from ordinis.config.edges import Broker, Exchange, JournalSection, Run
from ordinis.config.policies import SMALL, STANDARD, Execution, Policy, Risk, Sizing, Tier


class Settings(Section):
    """Everything that can be set. Secrets are no settings: see `ordinis.config.secrets`."""

    account: Account = Account()
    capital: Capital = Capital()
    compliance: Compliance = Compliance()
    data: Data = Data()
    strategies: Strategies = Strategies()
    policy: Policy = Policy()
    tiers: Annotated[tuple[Tier, ...], Field(min_length=1, strict=False)] = (SMALL, STANDARD)
    sizing: Sizing = Sizing()
    risk: Risk = Risk()
    execution: Execution = Execution()
    exchange: Exchange = Exchange()
    journal: JournalSection = JournalSection()
    broker: Broker = Broker()
    run: Run = Run()

    @field_validator("tiers")
    @classmethod
    def _tiers_cover_every_equity(cls, tiers: tuple[Tier, ...]) -> tuple[Tier, ...]:
        names = [tier.name for tier in tiers]
        if len(set(names)) != len(names):
            raise ValueError(f"each name is used once, was {', '.join(names)}")
        edges = [tier.equity_min_usd for tier in tiers]
        if edges[0] != 0:
            raise ValueError(f"the first must begin at equity_min_usd = 0, {names[0]} begins at {edges[0]}")
        if any(low >= high for low, high in pairwise(edges)):
            raise ValueError(f"equity_min_usd must rise, was {', '.join(map(str, edges))}")
        return tiers

    @model_validator(mode="after")
    def _cash_has_no_margin(self) -> Self:
        if self.compliance.regime == "cash" and self.account.multiplier != 1:
            raise ValueError(f"compliance.regime = cash needs account.multiplier = 1, was {self.account.multiplier}")
        return self

    def tier(self, name: str) -> Tier:
        """The tier of that name; KeyError when there is none."""
        return {tier.name: tier for tier in self.tiers}[name]

    def plain(self) -> dict[str, Any]:
        """Sections and keys as JSON would hold them, for journals and reports. Holds no secret."""
        return self.model_dump(mode="json")
