"""The rule set. A new rule is one module more and one line here."""

from alerts.rule import Rule
from alerts.rules import (
    absence,
    baseline,
    early_warning,
    exertion,
    more_oxygen,
    over_oxygenation,
    oxygen,
    signal,
    symptoms,
    technical,
    trend,
    vitals,
    worsening,
)

RULES: tuple[Rule, ...] = (
    *symptoms.RULES,
    *worsening.RULES,
    *oxygen.RULES,
    *baseline.RULES,
    *trend.RULES,
    *more_oxygen.RULES,
    *exertion.RULES,
    *over_oxygenation.RULES,
    *vitals.RULES,
    *early_warning.RULES,
    *technical.RULES,
    *signal.RULES,
    *absence.RULES,
)

BY_KEY: dict[str, Rule] = {rule.key: rule for rule in RULES}
POSITION: dict[str, int] = {rule.key: position for position, rule in enumerate(RULES)}
"""Where a rule's verdict stands in an evaluation."""
