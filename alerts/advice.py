"""What the person reads in answer to a reading: the worst of this reading and of every unresolved clinical
alert.

Wording and codes are a design decision, need CSO sign-off; the bands' actions follow the NHS CO@h patient
leaflet."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from alerts.case import Placement
from alerts.episode import Episode
from alerts.evaluate import Evaluation
from alerts.plan import Plan, TreatmentEscalation
from alerts.severity import Channel, Family, Severity


class AdviceCode(StrEnum):
    """What to do, for programs; the text says it to the person."""

    CARRY_ON = "carry_on"
    MEASURE_AGAIN_NOW = "measure_again_now"
    RECHECK_WITHIN_1_HOUR = "recheck_within_1_hour"
    CALL_THE_TEAM = "call_the_team"
    EMERGENCY = "emergency"
    NOT_ASSESSED = "not_assessed"


@dataclass(frozen=True, slots=True)
class Advice:
    """A code and the sentences that go with it."""

    code: AdviceCode
    text: str


@dataclass(frozen=True, slots=True)
class Contact:
    """Whom the person can ring besides 111 and 999: the ward's phone while the ward works; what the ward itself says
    while it does not. Both None: nothing is known."""

    phone: str | None = None
    text: str | None = None


NO_CONTACT = Contact()

_NEVER = re.compile(
    r"\b(normal|safe|no need to (call|ring|worry)|(been|be|is|are) alerted|(is|are|be) watching|watch(es)? over you"
    r"|carry on|turn (it )?(up|down)|(more|less) oxygen|(increase|reduce|raise|lower) (your|the) (oxygen|flow))\b",
    re.IGNORECASE,
)
"""What no text to a patient may say (the project's clinical rules, section 11), as far as words show it."""


@lru_cache(maxsize=1024)
def must_not_say(text: str) -> str | None:
    """The first words in a ward's own text that no patient may read; None when there are none."""
    found = _NEVER.search(text)
    return None if found is None else found.group()


_URGENCY = (
    AdviceCode.CARRY_ON,
    AdviceCode.RECHECK_WITHIN_1_HOUR,
    AdviceCode.CALL_THE_TEAM,
    AdviceCode.MEASURE_AGAIN_NOW,
    AdviceCode.EMERGENCY,
)

_CARRY_ON, _RECHECK, _CALL_THE_TEAM = _URGENCY[:3]
_LIVE, _OXYGEN, _CLINICAL, _LIMITED = Placement.LIVE, Family.OXYGEN, Channel.CLINICAL, TreatmentEscalation.LIMITED

FELT_FROM = 3
"""Borg: from here on (moderate) nobody is told that they may feel well."""
_LOW_NUMBER = "You may feel well; the number still matters."
_RING_999 = "ring 999 or go to A&E"


def advise(
    evaluation: Evaluation,
    unresolved: Iterable[Episode],
    plan: Plan,
    *,
    watched_now: bool,
    contact: Contact = NO_CONTACT,
) -> Advice:
    """Advice after a reading. `unresolved`: every unresolved alert of the stay as it stands after it;
    `watched_now`: somebody is on duty; `contact`: whom to ring at this hour. Someone whose treatment escalation
    is limited reads the plan's own text, never 999."""
    code, low = _of_reading(evaluation), False
    for episode in unresolved:
        if episode.family.channel == _CLINICAL or episode.trace("R0") is not None:
            code = max(_of_episode(episode), code, key=_URGENCY.index)
            low = low or (episode.family == _OXYGEN and not episode.retrospective)
    if low:
        felt = evaluation.case.breathlessness
        low = felt is None or felt < FELT_FROM
    text = _text(code, _reader(plan, watched_now, contact), low)
    if code == _CALL_THE_TEAM and evaluation.recheck_by is not None:
        text += " Then sit and rest, and measure again."
    return Advice(code, text)


def advise_not_assessed(plan: Plan, *, watched_now: bool, contact: Contact = NO_CONTACT) -> Advice:
    """The reading was kept, but the engine could not assess it."""
    code = AdviceCode.NOT_ASSESSED
    return Advice(code, _text(code, _reader(plan, watched_now, contact), False))


def safety_text(plan: Plan, *, watched_now: bool, contact: Contact = NO_CONTACT) -> str:
    """What goes with every refusal of a reading."""
    return f"This reading was not recorded. {_if_unwell(_reader(plan, watched_now, contact))}"


def _of_reading(evaluation: Evaluation) -> AdviceCode:
    """To carry on needs a fresh, resting, good, usable SpO2; anything less asks for one."""
    case = evaluation.case
    whole = case.valid and case.placement == _LIVE and case.reading.counts_for_spo2
    return _CARRY_ON if whole and not evaluation.findings and not evaluation.late else _RECHECK


def _of_episode(episode: Episode) -> AdviceCode:
    if episode.retrospective:
        return AdviceCode.RECHECK_WITHIN_1_HOUR
    if episode.family == Family.TECHNICAL:
        settled = episode.recovered_at is not None
        return AdviceCode.RECHECK_WITHIN_1_HOUR if settled else AdviceCode.MEASURE_AGAIN_NOW
    if episode.severity == Severity.CRITICAL:
        return _of_critical(episode)
    if episode.severity == Severity.HIGH and not _recheck_may_settle(episode):
        return AdviceCode.CALL_THE_TEAM
    if episode.family == Family.OVER_OXYGENATION:
        return AdviceCode.CALL_THE_TEAM
    return AdviceCode.RECHECK_WITHIN_1_HOUR


def _of_critical(episode: Episode) -> AdviceCode:
    if episode.recovered_at is not None:
        return AdviceCode.CALL_THE_TEAM
    unconfirmed_red = episode.family == Family.OXYGEN and not episode.confirmed
    return AdviceCode.MEASURE_AGAIN_NOW if unconfirmed_red else AdviceCode.EMERGENCY


def _recheck_may_settle(episode: Episode) -> bool:
    """An amber value that is not confirmed yet, and nobody said that they are breathless: the leaflet asks for a
    recheck within the hour first. A second amber value, or no recheck, confirms it; then the team is called."""
    return not episode.confirmed and episode.title in ("silent_hypoxia", "hypoxia_symptoms_unknown")


class _Reader(NamedTuple):
    """Who reads it: the plan's own text for somebody whose treatment escalation is limited (else empty), whether
    somebody is on duty, the number to ring at this hour, and what the ward itself says then."""

    own_words: str
    watched_now: bool
    phone: str | None
    ward_says: str

    @property
    def team(self) -> str:
        """The ward's team, with its number where it is known at this hour."""
        return f"your ward team on {self.phone}" if self.phone else "your ward team"

    @property
    def first_aid(self) -> str:
        """Whom to ring when it is not an emergency and nobody is known to be on duty."""
        return f"111, or {self.team}" if self.phone else "111"


def _reader(plan: Plan, watched_now: bool, contact: Contact) -> _Reader:
    """Who reads it. A ward's own text that holds words no patient may read is left out whole."""
    text = contact.text
    says = "" if watched_now or not text or must_not_say(text) else f" {text}"
    return _Reader(_own_words(plan), watched_now, contact.phone, says)


def _own_words(plan: Plan) -> str:
    if plan.treatment_escalation != _LIMITED:
        return ""
    text = (plan.patient_text or "").strip()
    if not text or must_not_say(text):
        return "Do what was agreed with your team."
    return text if text[-1] in ".!?" else f"{text}."


@lru_cache(maxsize=1024)
def _text(code: AdviceCode, who: _Reader, low: bool) -> str:
    """The same few sentences go to everybody on a ward."""
    unwell = _if_unwell(who)
    number = f" {_LOW_NUMBER}" if low else ""
    match code:
        case AdviceCode.CARRY_ON:
            return f"Carry on with your readings as planned. {unwell}"
        case AdviceCode.RECHECK_WITHIN_1_HOUR:
            return f"Sit and rest, then take another reading within the hour.{number} {unwell}"
        case AdviceCode.MEASURE_AGAIN_NOW:
            return f"Sit and rest, warm your hand, and measure again now.{number} {_if_it_repeats(who)} {unwell}"
        case AdviceCode.CALL_THE_TEAM:
            return f"{_call(who)}{number} {unwell}"
        case AdviceCode.EMERGENCY:
            return f"{_emergency(who)}{number}"
        case _:
            return f"Your reading was kept, but not assessed. Take another one now. {unwell}"


def _emergency(who: _Reader) -> str:
    if who.own_words:
        return f"This needs somebody with you now. {who.own_words}"
    return f"This is an emergency: {_RING_999} now."


def _if_it_repeats(who: _Reader) -> str:
    if who.own_words:
        return f"If it is low again: {who.own_words}"
    return f"If it is low again, {_RING_999}."


def _call(who: _Reader) -> str:
    if who.watched_now:
        return f"Ring {who.team} now."
    if who.own_words:
        return who.own_words
    if who.phone:
        return f"Ring {who.first_aid}, now."
    return "Ring 111 now; your team may not be there."


def _if_unwell(who: _Reader) -> str:
    if who.own_words:
        return f"If you feel worse: {who.own_words}"
    ring = who.team if who.watched_now else who.first_aid
    return f"If you feel worse, ring {ring}; if you feel very unwell, {_RING_999}.{who.ward_says}"
