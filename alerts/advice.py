"""What the person reads in answer to a reading: the worst of this reading and of every unresolved clinical
alert.

Wording and codes are a design decision, need CSO sign-off; the bands' actions follow the NHS CO@h patient
leaflet."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from alerts.case import Placement
from alerts.episode import Episode
from alerts.evaluate import Evaluation
from alerts.plan import Plan, TreatmentEscalation
from alerts.rule import Awaited
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


_URGENCY = (
    AdviceCode.CARRY_ON,
    AdviceCode.RECHECK_WITHIN_1_HOUR,
    AdviceCode.CALL_THE_TEAM,
    AdviceCode.MEASURE_AGAIN_NOW,
    AdviceCode.EMERGENCY,
)

_LOW_NUMBER = "You may feel well; the number still matters."
_RING_TEAM = "Ring your ward team"
_RING_111 = "Ring 111"
_RING_999 = "ring 999 or go to A&E"


def advise(evaluation: Evaluation, unresolved: Iterable[Episode], plan: Plan, *, watched_now: bool) -> Advice:
    """Advice after a reading. `unresolved`: every unresolved alert of the stay as it stands after it;
    `watched_now`: somebody is on duty. Someone whose treatment escalation is limited reads the plan's own
    text, never 999."""
    episodes = [e for e in unresolved if e.family.channel == Channel.CLINICAL or e.trace("R0") is not None]
    code = max((*(_of_episode(episode) for episode in episodes), _of_reading(evaluation)), key=_URGENCY.index)
    low = any(episode.family == Family.OXYGEN for episode in episodes if not episode.retrospective)
    return Advice(code, _text(code, plan, watched_now=watched_now, low=low))


def advise_not_assessed(plan: Plan, *, watched_now: bool) -> Advice:
    """The reading was kept, but the engine could not assess it."""
    code = AdviceCode.NOT_ASSESSED
    return Advice(code, _text(code, plan, watched_now=watched_now, low=False))


def safety_text(plan: Plan, *, watched_now: bool) -> str:
    """What goes with every refusal of a reading."""
    return f"This reading was not recorded. {_if_unwell(plan, watched_now=watched_now)}"


def _of_reading(evaluation: Evaluation) -> AdviceCode:
    """To carry on needs a fresh, resting, good, usable SpO2; anything less asks for one."""
    case = evaluation.case
    whole = case.valid and case.reading.counts_for_spo2 and case.placement == Placement.LIVE
    if whole and not evaluation.late and not evaluation.findings:
        return AdviceCode.CARRY_ON
    return AdviceCode.RECHECK_WITHIN_1_HOUR


def _of_episode(episode: Episode) -> AdviceCode:
    if episode.retrospective:
        return AdviceCode.RECHECK_WITHIN_1_HOUR
    if episode.family == Family.TECHNICAL:
        settled = episode.recovered_at is not None
        return AdviceCode.RECHECK_WITHIN_1_HOUR if settled else AdviceCode.MEASURE_AGAIN_NOW
    if episode.recovered_at is not None:
        return AdviceCode.CALL_THE_TEAM
    if episode.severity == Severity.CRITICAL:
        unconfirmed_red = episode.family == Family.OXYGEN and not episode.confirmed
        return AdviceCode.MEASURE_AGAIN_NOW if unconfirmed_red else AdviceCode.EMERGENCY
    if episode.severity == Severity.HIGH and not _recheck_may_settle(episode):
        return AdviceCode.CALL_THE_TEAM
    if episode.family == Family.OVER_OXYGENATION:
        return AdviceCode.CALL_THE_TEAM
    return AdviceCode.RECHECK_WITHIN_1_HOUR


def _recheck_may_settle(episode: Episode) -> bool:
    """An amber value without breathlessness: the leaflet's recheck within the hour comes first."""
    awaited = any(wait.awaits == Awaited.RECHECK for wait in episode.waits)
    return awaited and episode.title in ("silent_hypoxia", "hypoxia_symptoms_unknown")


def _text(code: AdviceCode, plan: Plan, *, watched_now: bool, low: bool) -> str:
    unwell = _if_unwell(plan, watched_now=watched_now)
    number = f" {_LOW_NUMBER}" if low else ""
    match code:
        case AdviceCode.CARRY_ON:
            return f"Carry on with your readings as planned. {unwell}"
        case AdviceCode.RECHECK_WITHIN_1_HOUR:
            return f"Sit and rest, then take another reading within the hour.{number} {unwell}"
        case AdviceCode.MEASURE_AGAIN_NOW:
            again = _if_it_repeats(plan)
            return f"Sit and rest, warm your hand, and measure again now.{number} {again} {unwell}"
        case AdviceCode.CALL_THE_TEAM:
            return f"{_call(plan, watched_now=watched_now)}{number} {unwell}"
        case AdviceCode.EMERGENCY:
            return f"{_emergency(plan)}{number}"
        case AdviceCode.NOT_ASSESSED:
            return f"Your reading was kept, but not assessed. Take another one now. {unwell}"


def _limited(plan: Plan) -> bool:
    return plan.treatment_escalation == TreatmentEscalation.LIMITED


def _emergency(plan: Plan) -> str:
    if _limited(plan):
        return f"This needs somebody with you now. {plan.patient_text}"
    return f"This is an emergency: {_RING_999} now."


def _if_it_repeats(plan: Plan) -> str:
    if _limited(plan):
        return f"If it is low again: {plan.patient_text}"
    return f"If it is low again, {_RING_999}."


def _call(plan: Plan, *, watched_now: bool) -> str:
    if watched_now:
        return f"{_RING_TEAM} now."
    return f"{plan.patient_text}" if _limited(plan) else f"{_RING_111} now; your team is not there at this hour."


def _if_unwell(plan: Plan, *, watched_now: bool) -> str:
    if _limited(plan):
        return f"If you feel worse: {plan.patient_text}"
    if watched_now:
        return f"If you feel worse, ring your ward team; if you feel very unwell, {_RING_999}."
    return f"If you feel worse, ring 111; if you feel very unwell, {_RING_999}."
