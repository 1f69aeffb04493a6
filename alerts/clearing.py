"""What would end an alert, in words for the clinical team: from the clearing of each rule that still stands in it."""

from alerts.episode import Episode
from alerts.receipt import clears_when
from alerts.rules import BY_KEY
from alerts.severity import Severity

_MEDIUM = Severity.MEDIUM


def ends_when(episode: Episode) -> str:
    """What has to come before the alert is over, and who ends it then."""
    standing = [BY_KEY[trace.key] for trace in episode.traces if trace.active and trace.key in BY_KEY]
    if not standing:
        return "What raised it is no longer met. A person closes it."
    limits, needed = episode.explanation.limits, dict[str, None]()
    for rule in standing:
        if rule.clearing.by_human:
            return "A person closes it; no reading does."
        needed[clears_when(rule, limits)] = None
    then = "It then resolves by itself." if episode.peak_severity <= _MEDIUM else "A person then closes it."
    return " ".join([*needed, then])
