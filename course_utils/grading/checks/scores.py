"""The score that a check cell ends with: a number, feedback for a reader, and evidence."""

import html
from dataclasses import asdict, dataclass

MIME = "application/vnd.course.score+json"
"""Type of an output that holds a score: ``task``, ``points``, ``of`` and ``checks``."""


@dataclass(frozen=True)
class Check:
    """One comparison: what was asked, whether it came out right, and what to think about if not."""

    says: str
    correct: bool
    hint: str = ""


@dataclass(frozen=True)
class Score:
    """What a task gave. As text it is a bare number, in a notebook it is readable feedback.

    Attributes
    ----------
    task : str
        Name of the task.
    points, of : float
        Points given, and points that there are. A task gives all of its points or none.
    checks : tuple of Check
        In the order of the cell.
    """

    task: str
    points: float
    of: float
    checks: tuple[Check, ...]

    def __repr__(self) -> str:
        return str(self.points)

    def evidence(self) -> dict:
        """The score as JSON holds it."""
        return asdict(self) | {"checks": [asdict(check) for check in self.checks]}

    def _repr_mimebundle_(self, **kwargs: object) -> dict:
        return {
            "text/plain": str(self.points),  # nbgrader reads a bare number as points
            "text/html": as_html(self.evidence()),
            MIME: self.evidence(),
        }


def as_html(evidence: dict) -> str:
    """A score as a learner reads it; it follows the colours of the page, light or dark."""
    won = evidence["points"] == evidence["of"]
    lines = [
        f"<li>{'✓ right' if check['correct'] else '✗ <b>not yet</b>'}: {html.escape(check['says'])}"
        + (f"<br>{html.escape(check['hint'])}" if check["hint"] else "")
        + "</li>"
        for check in evidence["checks"]
    ]
    return (
        f'<div style="border-left: 4px solid {"#2e7d32" if won else "#b26a00"}; padding: 2px 12px">'
        f"<b>{evidence['points']:g} of {evidence['of']:g} points</b>"
        f'<ul style="list-style: none; margin: 4px 0; padding: 0">{"".join(lines)}</ul></div>'
    )
