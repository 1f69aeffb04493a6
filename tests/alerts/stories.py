"""The shortest story that ends with each step of an alert's life cycle: one for every transition, by its id."""

from typing import Any

from alerts.fold import Verb
from alerts.rule_set import RuleSet
from alerts.severity import Family
from alerts.transitions import Trigger, step
from tests.alerts.stay import Stay, reading

Step = tuple[str, Any]
"""A time of day, and what happens: values read, a verb, rules that go live, or None for nothing but time."""


def values(spo2: float, **more: Any) -> dict[str, Any]:
    return {"spo2": spo2, "breathlessness": 4, **more}


RED: Step = ("08:00", values(91))
RED_AGAIN: Step = ("08:05", values(91))
AMBER: Step = ("08:00", values(93))
AMBER_AGAIN: Step = ("08:05", values(93))
MILD: Step = ("08:00", {"spo2": 97, "temperature": 39.5})
TAKEN: Step = ("08:10", Verb.ACKNOWLEDGE)
TIME: Step = ("08:15", None)
WELL: list[Step] = [("09:00", values(96)), ("09:20", values(97))]
COOL: list[Step] = [("09:00", {"spo2": 97, "temperature": 37.0}), ("09:20", {"spo2": 97, "temperature": 37.0})]
CONTRADICTED: list[Step] = [("08:05", values(96)), ("08:12", values(97))]
FELL_AND_CAME_BACK: list[Step] = [AMBER, AMBER_AGAIN, *WELL]
"""High once, and recovered while nobody looked."""
LESS_TIME = RuleSet(
    version="ward-7.2",
    critical_acknowledge_minutes=5,
    critical_contact_minutes=20,
    high_acknowledge_minutes=10,
    high_contact_minutes=20,
)
"""How long people have from now on."""


def then(verb: Verb, at: str = "10:00") -> Step:
    return at, verb


STORIES: dict[str, list[Step]] = {
    "T1": [RED],
    "T2": [MILD, ("08:10", {"spo2": 97, "temperature": 39.5})],
    "T3": [AMBER, ("08:10", values(91))],
    "T4": [RED, ("07:50", values(90, received="08:10"))],
    "T6": [RED, TIME],
    "T7": [RED, *CONTRADICTED],
    "T8": [MILD, *COOL],
    "T9": FELL_AND_CAME_BACK,
    "T10": [RED, TAKEN],
    "T11": [RED, then(Verb.RESOLVE)],
    "T12": [RED, RED_AGAIN, TAKEN, ("08:30", values(91))],
    "T13": [AMBER, TAKEN, ("08:20", values(91))],
    "T14": [RED, ("08:05", Verb.ACKNOWLEDGE), ("08:08", values(90))],
    "T15": [RED, RED_AGAIN, TAKEN, ("07:50", values(91, received="08:30"))],
    "T16": [RED, TAKEN, TIME],
    "T17": [RED, ("08:01", Verb.ACKNOWLEDGE), *CONTRADICTED],
    "T18": [MILD, TAKEN, *COOL],
    "T19": [RED, RED_AGAIN, TAKEN, *WELL],
    "T20": [RED, TAKEN, then(Verb.UNACKNOWLEDGE, "08:12")],
    "T21": [RED, RED_AGAIN, TAKEN, then(Verb.ACK_EXPIRES, "08:40")],
    "T22": [RED, TAKEN, then(Verb.RESOLVE)],
    "T23": [*FELL_AND_CAME_BACK, ("10:00", values(93))],
    "T24": [*FELL_AND_CAME_BACK, ("10:00", values(91))],
    "T26": [*FELL_AND_CAME_BACK, ("08:30", values(93, received="10:00"))],
    "T27": [*FELL_AND_CAME_BACK, then(Verb.ACKNOWLEDGE)],
    "T28": [*FELL_AND_CAME_BACK, then(Verb.RESOLVE)],
    "T29": [RED, then(Verb.RESOLVE, "08:10"), then(Verb.REOPEN)],
    "T30": [RED, then(Verb.CONTACT, "08:10")],
    "T31": [RED, TAKEN, then(Verb.CONTACT, "08:12")],
    "T32": [*FELL_AND_CAME_BACK, then(Verb.CONTACT)],
    "T33": [RED, then(Verb.ESCALATE, "08:10")],
    "T34": [RED, TAKEN, then(Verb.ESCALATE, "08:12")],
    "T35": [*FELL_AND_CAME_BACK, then(Verb.ESCALATE)],
    "T36": [RED, then(Verb.ASSIGN, "08:10")],
    "T37": [RED, TAKEN, then(Verb.ASSIGN, "08:12")],
    "T38": [*FELL_AND_CAME_BACK, then(Verb.ASSIGN)],
    "T39": [AMBER, then(Verb.SNOOZE, "08:10")],
    "T40": [AMBER, TAKEN, then(Verb.SNOOZE, "08:12")],
    "T41": [*FELL_AND_CAME_BACK, then(Verb.SNOOZE)],
    "T42": [AMBER, then(Verb.SNOOZE, "08:10"), then(Verb.SNOOZE_ENDS, "08:20")],
    "T43": [AMBER, TAKEN, then(Verb.SNOOZE, "08:12"), then(Verb.SNOOZE_ENDS, "08:20")],
    "T44": [*FELL_AND_CAME_BACK, then(Verb.SNOOZE), then(Verb.SNOOZE_ENDS, "10:20")],
    "T45": [RED, ("08:03", LESS_TIME)],
    "T46": [AMBER, AMBER_AGAIN, ("08:06", values(96)), ("08:21", values(97)), ("08:22", LESS_TIME)],
}

OXYGEN = Family.OXYGEN
FAMILY = {"T2": Family.VITALS, "T8": Family.VITALS, "T18": Family.VITALS}
"""What the story is about; oxygen, unless said."""
WATCHED = ("T45", "T46")
"""Where the clock over the stay has a part."""


def told(number: str) -> tuple[str, str]:
    """The story on the pure engine: the transition its last step made, and the state the alert is in."""
    stay, family, transition = Stay(admitted="07:00" if number in WATCHED else None), FAMILY.get(number, OXYGEN), ""
    for at, happens in STORIES[number]:
        if isinstance(happens, Verb):
            before = stay.closed.get(family) if happens == Verb.REOPEN else stay.record.episodes[family]
            assert before is not None
            transition = step(before.state, Trigger(happens))[1]
            until = f"{int(at[:2]) + 1}{at[2:]}" if happens == Verb.SNOOZE else ""
            stay.acts(at, happens, family, until=until)
            continue
        if isinstance(happens, RuleSet):
            changes = stay.is_ruled_by(at, happens)
        else:
            changes = stay.waits_until(at) if happens is None else stay.receives(reading(at, **happens))
        transition = next((change.transition for change in changes if change.family == family), "")
        stay.closed |= {change.family: change.after for change in changes if not change.after.unresolved}
    return transition, str({**stay.closed, **stay.record.episodes}[family].state)
