"""Other optimisers on the same problems, each through its public interface and only where it can state the problem.

They are not installed with the project: `pip install skfolio pyportfolioopt riskfolio-lib cvxportfolio` into an
environment of one's own, or as many of them as one wants to see.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from optimizer_problems import NAMES, RISK_AVERSION, SECTORS, Problem
from ordinis.domain.market import FloatArray


class Peer(NamedTuple):
    name: str
    module: str
    weights: Callable[[Problem], Any]
    problems: tuple[str, ...] = NAMES

    @property
    def installed(self) -> bool:
        return importlib.util.find_spec(self.module) is not None


def _skfolio(problem: Problem) -> Any:
    cp, optimization = importlib.import_module("cvxpy"), importlib.import_module("skfolio.optimization")
    measures = importlib.import_module("skfolio").RiskMeasure
    before = problem.weights_before
    settings: dict[str, Any] = {"max_weights": problem.weight_max}
    if problem.confidence is None:
        settings["objective_function"] = optimization.ObjectiveFunction.MAXIMIZE_UTILITY
        settings["risk_aversion"] = RISK_AVERSION / 2
    else:
        settings |= {"risk_measure": measures.CVAR, "cvar_beta": problem.confidence}
    if problem.sector_max is not None:
        groups = list(problem.sectors.values())
        settings["groups"] = [groups]
        settings["linear_constraints"] = [f"{sector} <= {problem.sector_max}" for sector in sorted(set(groups))]
    if problem.trade_cost:
        settings |= {"transaction_costs": problem.trade_cost, "previous_weights": before}
    if problem.turnover_max is not None:
        settings["add_constraints"] = lambda w: cp.norm1(w - before) <= problem.turnover_max
    return optimization.MeanRisk(**settings).fit(problem.frame).weights_


def _pyportfolioopt(problem: Problem) -> Any:
    cp, pf = importlib.import_module("cvxpy"), importlib.import_module("pypfopt")
    before, bounds = problem.weights_before, (0, problem.weight_max)
    if problem.confidence is not None:
        tail = pf.EfficientCVaR(None, problem.frame, problem.confidence, weight_bounds=bounds)
        tail.min_cvar()
        return tail.weights
    mean = pf.expected_returns.mean_historical_return(problem.frame, True, False, frequency=1)
    covariance = pf.risk_models.sample_cov(problem.frame, returns_data=True, frequency=1)
    frontier = pf.EfficientFrontier(mean, covariance, weight_bounds=bounds)
    if problem.sector_max is not None:
        caps = dict.fromkeys(problem.sectors.values(), problem.sector_max)
        frontier.add_sector_constraints(problem.sectors, {}, caps)
    if problem.trade_cost:
        frontier.add_objective(pf.objective_functions.transaction_cost, w_prev=before, k=problem.trade_cost)
    if problem.turnover_max is not None:
        frontier.add_constraint(lambda w: cp.norm1(w - before) <= problem.turnover_max)
    frontier.max_quadratic_utility(RISK_AVERSION)
    return frontier.weights


def _riskfolio(problem: Problem) -> Any:
    portfolio = importlib.import_module("riskfolio").Portfolio(returns=problem.frame, upperlng=problem.weight_max)
    portfolio.assets_stats(method_mu="hist", method_cov="hist")
    goal: dict[str, Any] = {"rm": "MV", "obj": "Utility", "l": RISK_AVERSION / 2}
    if problem.confidence is not None:
        goal, portfolio.alpha = {"rm": "CVaR", "obj": "MinRisk"}, 1 - problem.confidence
    if problem.sector_max is not None:
        portfolio.ainequality = _members(problem)
        portfolio.binequality = np.full((SECTORS, 1), problem.sector_max)
    return portfolio.optimization(model="Classic", rf=0, hist=True, **goal)["weights"].to_numpy()


def _cvxportfolio(problem: Problem) -> Any:
    cvx = importlib.import_module("cvxportfolio")
    frame, assets = problem.frame, problem.assets
    before = np.full(assets, 1 / assets) if problem.weights_before is None else problem.weights_before
    holdings = pd.Series(np.append(before, 0.0), index=[*frame.columns, "cash"]) * 1e6
    goal = cvx.ReturnsForecast(r_hat=frame.mean()) - (RISK_AVERSION / 2) * cvx.FullCovariance(Sigma=frame.cov())
    limits = [cvx.LongOnly(), cvx.NoCash(), cvx.MaxWeights(problem.weight_max)]
    if problem.sector_max is not None:
        loadings = pd.DataFrame(_members(problem).T, index=frame.columns)
        limits.append(cvx.FactorMaxLimit(loadings, pd.Series(problem.sector_max, index=loadings.columns)))
    if problem.trade_cost:
        goal = goal - cvx.TransactionCost(a=problem.trade_cost, b=None)
    if problem.turnover_max is not None:
        limits.append(cvx.TurnoverLimit(problem.turnover_max / 2))  # It counts half of buys plus sells.
    policy = cvx.SinglePeriodOptimization(goal, limits, include_cash_return=False)
    trades, _, _ = policy.execute(holdings, market_data=None, t=pd.Timestamp("2030-01-01"))
    return ((holdings + trades) / 1e6).to_numpy()[:assets]


def _cvxpy(problem: Problem) -> Any:
    """The model as one writes it by hand."""
    cp = importlib.import_module("cvxpy")
    w = cp.Variable(problem.assets)
    limits = [cp.sum(w) == 1, w >= 0, w <= problem.weight_max]
    if problem.confidence is None:
        goal = RISK_AVERSION / 2 * cp.quad_form(w, cp.psd_wrap(problem.covariance)) - problem.mean @ w
    else:
        days = len(problem.returns)
        edge, beyond = cp.Variable(), cp.Variable(days, nonneg=True)
        limits.append(beyond + edge + problem.returns @ w >= 0)
        goal = edge + cp.sum(beyond) / ((1 - problem.confidence) * days)
    cp.Problem(cp.Minimize(goal), limits).solve()
    return w.value


def _members(problem: Problem) -> FloatArray:
    members: FloatArray = (np.arange(problem.assets) % SECTORS == np.arange(SECTORS)[:, None]).astype(float)
    return members


PEERS = (
    Peer("skfolio", "skfolio", _skfolio),
    Peer("pyportfolioopt", "pypfopt", _pyportfolioopt),
    Peer("riskfolio", "riskfolio", _riskfolio, ("mv", "sector", "cvar")),  # Its turnover limit holds by asset only.
    Peer("cvxportfolio", "cvxportfolio", _cvxportfolio, NAMES[:4]),
    Peer("cvxpy", "cvxpy", _cvxpy, ("mv", "cvar")),
)
