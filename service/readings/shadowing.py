"""A shadow rule set beside the live one: the same readings, the same function, and nothing but numbers out of it."""

from collections import Counter
from collections.abc import Iterable
from zoneinfo import ZoneInfo

from alerts.evaluate import Evaluation, evaluate
from alerts.record import Record
from service.logs import get_logger
from service.readings.store import LockedStay
from service.rules.live import WardRules
from service.rules.shadow import Found

log = get_logger(__name__)


def count(
    stay: LockedStay, rules: WardRules, record: Record, evaluations: Iterable[Evaluation]
) -> Counter[Found] | None:
    """Which rules fired in the live rule set and in the shadow; None without a shadow, or when it fails."""
    if rules.shadow is None or stay.shadow_number is None:
        return None
    counted = Counter[Found]()
    try:
        for live in evaluations:
            case = live.case
            shadow = evaluate(
                case.window,
                case.plan,
                case.now,
                placement=case.placement,
                in_order=case.in_order,
                sixteen_on=record.sixteen_on,
                rule_set=rules.shadow,
                zone=case.zone,
                rest_is_newest=case.rest_is_newest,
                later=case.later,
            )
            day = case.now.astimezone(ZoneInfo(case.zone)).date()
            for evaluation, is_live in ((live, True), (shadow, False)):
                for finding in evaluation.findings:
                    key = (stay.ward_id, stay.shadow_number, day, finding.rule_id, int(finding.severity), is_live)
                    counted[Found(*key)] += 1
    except Exception as problem:
        log.error("shadow_failed", stay_id=stay.id, error=type(problem).__name__)
        return None
    return counted
