"""Hierarchical risk parity: variances halved down a tree of what moves together."""

from __future__ import annotations

import numpy as np

from ordinis.domain.market import FloatArray


def hierarchical_weights(covariance: FloatArray) -> FloatArray:
    """Shares [symbols] that sum to 1.

    Symbols are put in the order of a single-linkage tree over the distances sqrt((1 - correlation) / 2); each half of
    the order then gets what the other half's inverse-variance portfolio risks. Source: Lopez de Prado (2016),
    "Building Diversified Portfolios that Outperform Out of Sample".
    """
    variance = covariance.diagonal()
    if variance.size == 1:
        return np.ones(1)
    shares = np.ones(variance.size)
    pending = [_order(covariance, variance)]
    while pending:
        group = pending.pop()
        half = len(group) // 2
        first, second = group[:half], group[half:]
        risk_first, risk_second = _risk(covariance, first), _risk(covariance, second)
        shares[first] *= risk_second / (risk_first + risk_second)
        shares[second] *= risk_first / (risk_first + risk_second)
        pending += [part for part in (first, second) if len(part) > 1]
    return shares


def _order(covariance: FloatArray, variance: FloatArray) -> list[int]:
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    correlation = np.clip(covariance / np.sqrt(variance * variance[:, None]), -1.0, 1.0)
    distance = np.sqrt((1.0 - correlation) / 2.0)
    np.fill_diagonal(distance, 0.0)
    order: list[int] = leaves_list(linkage(squareform(distance, checks=False), "single")).tolist()
    return order


def _risk(covariance: FloatArray, group: list[int]) -> float:
    """The variance of the group's inverse-variance portfolio."""
    inner = covariance[np.ix_(group, group)]
    shares = 1.0 / inner.diagonal()
    shares /= shares.sum()
    return float(shares @ inner @ shares)
