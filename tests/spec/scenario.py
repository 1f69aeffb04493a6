"""What a clinical scenario is: a table row a nurse can follow.

A scenario gives a plan, then steps. A step is what is sent, `at` minutes after the start (observed, and
received too unless `received` says later), with the fields of a reading as the interface takes them; or
`then` an act of a person: {"acknowledge": family}, {"contact": family}, {"resolve": family}, {"plan":
changes}, {"pause": minutes}. Readings with the same time of receipt are sent together. A step observed
after it is `received` is dated ahead by a wrong clock.

`expect` is the queue afterwards: one entry per unresolved alert, only the fields that matter. `wait_until`
looks at the queue so many minutes after the start though nothing more is sent. `waits` marks a scenario
that needs time to pass, or times of receipt of its own; all others can be sent as fast as the wire allows.
`answers` is what the answer to the last reading says.
"""

from dataclasses import dataclass, field
from typing import Any

Step = dict[str, Any]
Alert = dict[str, Any]


@dataclass(frozen=True)
class Scenario:
    name: str
    steps: tuple[Step, ...]
    expect: tuple[Alert, ...]
    plan: dict[str, Any] = field(default_factory=dict)
    wait_until: float | None = None
    waits: bool = False
    answers: dict[str, Any] = field(default_factory=dict)
    refused: bool = False

    def speaks_of(self, family: str) -> bool:
        """What a plan lacks is left out of the queue unless the scenario is about it."""
        return family != "plan" or any(alert["family"] == "plan" for alert in self.expect)


CUSTOM = {"profile": "custom", "reason": "lung fibrosis", "review_on": "2027-01-31"}
HYPERCAPNIC = {"profile": "hypercapnic"}
COMPLETE = {
    "respiratory_rate": 16, "systolic_bp": 120, "pulse_rate": 75, "consciousness": "alert",
    "temperature": 36.8, "oxygen_flow": 0,
}  # fmt: skip

WITHOUT_BREATHING_RATE = {name: value for name, value in COMPLETE.items() if name != "respiratory_rate"}


def oxygen(severity: str, **fields: Any) -> Alert:
    return {"family": "oxygen", "severity": severity, **fields}


def technical(severity: str, **fields: Any) -> Alert:
    return {"family": "technical", "severity": severity, **fields}


def missed(severity: str, **fields: Any) -> Alert:
    return {"family": "missed_reading", "severity": severity, **fields}


def lacking(severity: str, **fields: Any) -> Alert:
    return {"family": "plan", "severity": severity, **fields}
