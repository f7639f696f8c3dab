"""Sides measured in turns, medians, and the table that a case prints."""

import statistics
from collections.abc import Callable
from dataclasses import dataclass, field

from .process import say


def alternate(rounds: int, sides: dict[str, Callable[[], float]]) -> dict[str, list[float]]:
    """Measures every side once a round, in the opposite order in every other round."""
    seconds = {name: [] for name in sides}
    for turn in range(rounds):
        for name in list(sides) if turn % 2 == 0 else reversed(list(sides)):
            took = sides[name]()
            say(f"  round {turn + 1}: {name} {took:.3f} s")
            seconds[name].append(took)
    return seconds


@dataclass
class Report:
    """What a case found, for standard output."""

    title: str
    lines: list[tuple[str, str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def times(self, what: str, seconds: list[float]) -> float:
        """A line with the median of some times; gives the median."""
        median = statistics.median(seconds)
        spread = ", ".join(f"{value:.3f}" for value in seconds)
        self.lines.append((what, f"{median:.3f} s", spread if len(seconds) <= 10 else f"{min(seconds):.3f} to {max(seconds):.3f}"))
        return median

    def value(self, what: str, value: str, remark: str = "") -> None:
        """A line with anything else."""
        self.lines.append((what, value, remark))

    def target(self, what: str, value: float, unit: str, *, at_most: float | None = None, at_least: float | None = None) -> None:
        """A line that says whether a target is met."""
        met = value <= at_most if at_most is not None else value >= at_least
        wanted = f"at most {at_most:,g}" if at_most is not None else f"at least {at_least:,g}"
        shown = f"{value:,.0f}" if value >= 1000 else f"{value:,.3g}"
        self.lines.append((f"**{what}**", f"**{shown} {unit}**", f"target {wanted} {unit}: {'met' if met else 'NOT met'}"))

    def note(self, text: str) -> None:
        """A line of prose under the table."""
        self.notes.append(text)

    def show(self) -> str:
        """The report as Markdown."""
        table = [f"### {self.title}", "", "| what | median or value | each round, remark |", "| --- | --- | --- |"]
        table += [f"| {what} | {value} | {remark} |" for what, value, remark in self.lines]
        return "\n".join(table + [""] + [f"- {note}" for note in self.notes] + ([""] if self.notes else []))
