"""How urgent a finding is, which family its alert belongs to, and who has to look at it."""

from enum import IntEnum, StrEnum


class Severity(IntEnum):
    """Ordered: a higher number is more urgent. `word` is how it is written for people and in JSON."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4

    @property
    def word(self) -> str:
        """The lower-case word: "low", "medium", "high" or "critical"."""
        return self.name.lower()


class Family(StrEnum):
    """The kind of alert: a stay has at most one unresolved alert of each family."""

    OXYGEN = "oxygen"
    OVER_OXYGENATION = "over_oxygenation"
    EARLY_WARNING = "early_warning"
    SYMPTOMS = "symptoms"
    VITALS = "vitals"
    MISSED_READING = "missed_reading"
    TECHNICAL = "technical"
    PLAN = "plan"

    # By its word, not by its name: equal ones (to a text, too) are found alike, and at a fifth of the price.
    __hash__ = str.__hash__

    @property
    def channel(self) -> "Channel":
        """Who has to look: the clinicians, those who chase readings and plans, or those who keep it
        running."""
        return _CHANNELS.get(self, _CLINICAL)


class Channel(StrEnum):
    """The desk an alert lands on."""

    CLINICAL = "clinical"
    COMPLIANCE = "compliance"
    TECHNICAL = "technical"


_CLINICAL = Channel.CLINICAL
_CHANNELS = {
    Family.MISSED_READING: Channel.COMPLIANCE,
    Family.PLAN: Channel.COMPLIANCE,
    Family.TECHNICAL: Channel.TECHNICAL,
}
