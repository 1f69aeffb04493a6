"""What would end an alert, in words for the clinical team: from the clearing of each rule that still stands in it."""

from alerts.episode import Episode
from alerts.receipt import clears_when
from alerts.rules import BY_KEY
from alerts.severity import Severity


def ends_when(episode: Episode) -> str:
    """What has to come before the alert is over, and who ends it then."""
    standing = [BY_KEY[trace.key] for trace in episode.traces if trace.active and trace.key in BY_KEY]
    if not standing:
        return "What raised it is no longer met. A person closes it."
    needed = [clears_when(rule, episode.explanation.limits) for rule in standing]
    if any(rule.clearing.by_human for rule in standing):
        return "A person closes it; no reading does."
    then = "It then resolves by itself." if episode.peak_severity <= Severity.MEDIUM else "A person then closes it."
    return " ".join([*dict.fromkeys(needed), then])
