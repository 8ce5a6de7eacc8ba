"""The exact minimum of theta/2 w'Qw - gain'w + cost'|w - start| over a Program: an active set inside a working set."""

from __future__ import annotations

from ordinis.domain.market import FloatArray
from ordinis.engines.portfolioopt.forms import Form
from ordinis.engines.portfolioopt.program import Answer, Program
from ordinis.engines.portfolioopt.search import WHOLE_MAX, Search
from ordinis.engines.portfolioopt.sparse import sparse, whole
from ordinis.engines.portfolioopt.turnover import limited


def minimise(form: Form, theta: float, gain: FloatArray, program: Program, start: FloatArray | None = None) -> Answer:
    """The minimum; `start` is a feasible point to begin at. Error: NotSolved, and Infeasible where there is none."""
    if program.watch is not None:
        program.watch()
    if not program.bent and program.size <= WHOLE_MAX:
        return whole(form, theta, gain, program)
    if not (program.bent or program.interior or start is not None or program.low.any()):
        answer = sparse(form, theta, gain, program)
        if answer is not None:
            return answer
    answer = limited(form, theta, gain, program) if start is None else None
    return answer or Search(form, theta, gain, program, start).run()
