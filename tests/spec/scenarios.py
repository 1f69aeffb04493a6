"""The clinical scenarios, as tables a nurse can follow.

A scenario gives a plan, then steps. A step is what is sent, `at` minutes after the start (observed, and
received too unless `received` says later), with the fields of a reading as the interface takes them; or
`then` an act of a person: {"acknowledge": family}, {"contact": family}, {"resolve": family}, {"plan":
changes}. Readings with the same time of receipt are sent together. A step observed after it is `received`
is dated ahead by a wrong clock.

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


BANDS = (
    Scenario("95 is no alert", ({"at": 0, "spo2": 95},), ()),
    Scenario(
        "94 without breathlessness awaits a recheck",
        ({"at": 0, "spo2": 94, "breathlessness": 0},),
        (oxygen("medium", state="open", confirmed=False),),
        answers={"advice_code": "recheck_within_1_hour", "ask": []},
    ),
    Scenario(
        "94, then 95 and 95 twenty minutes apart, resolves by itself",
        (
            {"at": 0, "spo2": 94, "breathlessness": 0},
            {"at": 10, "spo2": 95, "breathlessness": 0},
            {"at": 30, "spo2": 95, "breathlessness": 0},
        ),
        (),
    ),
    Scenario(
        "94, then 95 and 95 ten minutes apart, is not over yet",
        (
            {"at": 0, "spo2": 94, "breathlessness": 0},
            {"at": 10, "spo2": 95, "breathlessness": 0},
            {"at": 20, "spo2": 95, "breathlessness": 0},
        ),
        (oxygen("medium", state="open"),),
    ),
    Scenario(
        "94 without a recheck for an hour is high and confirmed",
        ({"at": 0, "spo2": 94, "breathlessness": 0},),
        (oxygen("high", state="open", confirmed=True),),
        wait_until=60,
        waits=True,
    ),
    Scenario(
        "94 is still awaiting its recheck after 59 minutes",
        ({"at": 0, "spo2": 94, "breathlessness": 0},),
        (oxygen("medium", confirmed=False),),
        wait_until=59,
        waits=True,
    ),
    Scenario(
        "94 twice is high and confirmed",
        ({"at": 0, "spo2": 94, "breathlessness": 0}, {"at": 20, "spo2": 94, "breathlessness": 0}),
        (oxygen("high", confirmed=True, title="silent_hypoxia"),),
    ),
    Scenario(
        "93 without breathlessness is silent hypoxia",
        ({"at": 0, "spo2": 93, "breathlessness": 0},),
        (oxygen("high", title="silent_hypoxia", rule_ids=["R2", "R3"]),),
        answers={"advice_code": "recheck_within_1_hour"},
    ),
    Scenario(
        "93 without an answer asks the question",
        ({"at": 0, "spo2": 93},),
        (oxygen("medium", rule_ids=["R2", "R4"], confirmed=False),),
        answers={"ask": ["breathlessness"]},
    ),
    Scenario(
        "93 unanswered for a quarter of an hour is high",
        ({"at": 0, "spo2": 93},),
        (oxygen("high", title="hypoxia_symptoms_unknown"),),
        wait_until=15,
        waits=True,
    ),
    Scenario(
        "94 unanswered for a quarter of an hour still waits",
        ({"at": 0, "spo2": 94},),
        (oxygen("medium"),),
        wait_until=59,
        waits=True,
    ),
    Scenario(
        "93 unanswered, then answered 7: stays high, and the breathlessness is critical",
        ({"at": 0, "spo2": 93}, {"at": 20, "breathlessness": 7}),
        (oxygen("high"), {"family": "symptoms", "severity": "critical", "title": "breathless"}),
        waits=True,
    ),
    Scenario(
        "93, answered 1 a little later by itself, is silent hypoxia",
        ({"at": 0, "spo2": 93}, {"at": 5, "breathlessness": 1}),
        (oxygen("high", title="silent_hypoxia", rule_ids=["R2", "R4", "R3"], reading_count=1),),
    ),
    Scenario(
        "93 with moderate breathlessness is high",
        ({"at": 0, "spo2": 93, "breathlessness": 3},),
        (oxygen("high", title="spo2_amber"),),
    ),
    Scenario(
        "93 with very severe breathlessness is two alerts",
        ({"at": 0, "spo2": 93, "breathlessness": 7},),
        (oxygen("high"), {"family": "symptoms", "severity": "critical"}),
        answers={"advice_code": "emergency"},
    ),
    Scenario(
        "96 with very severe breathlessness is critical at a good number",
        ({"at": 0, "spo2": 96, "breathlessness": 7},),
        ({"family": "symptoms", "severity": "critical", "title": "breathless"},),
        answers={"advice_code": "emergency"},
    ),
    Scenario(
        "92 with little breathlessness: critical silent hypoxia, measure again now",
        ({"at": 0, "spo2": 92, "breathlessness": 1},),
        (oxygen("critical", title="silent_hypoxia", rule_ids=["R1", "R3"], confirmed=False),),
        answers={"advice_code": "measure_again_now", "severity": "critical"},
    ),
)

CONFIRMATION = (
    Scenario(
        "92 and then nothing is confirmed after 15 minutes",
        ({"at": 0, "spo2": 92, "breathlessness": 1},),
        (oxygen("critical", confirmed=True),),
        wait_until=15,
        waits=True,
    ),
    Scenario(
        "92 is unconfirmed for 14 minutes",
        ({"at": 0, "spo2": 92, "breathlessness": 1},),
        (oxygen("critical", confirmed=False),),
        wait_until=14,
        waits=True,
    ),
    Scenario(
        "91, 96 after five minutes and no more is confirmed after 15",
        ({"at": 0, "spo2": 91, "breathlessness": 1}, {"at": 5, "spo2": 96, "breathlessness": 1}),
        (oxygen("critical", confirmed=True, state="open"),),
        wait_until=15,
        waits=True,
    ),
    Scenario(
        "91, then 93 and 93, stays critical",
        (
            {"at": 0, "spo2": 91, "breathlessness": 1},
            {"at": 6, "spo2": 93, "breathlessness": 1},
            {"at": 12, "spo2": 93, "breathlessness": 1},
        ),
        (oxygen("critical", confirmed=True, state="open"),),
    ),
    Scenario(
        "91 and 90, then 96 and 97: recovered, still listed",
        (
            {"at": 0, "spo2": 91, "breathlessness": 1},
            {"at": 5, "spo2": 90, "breathlessness": 1},
            {"at": 20, "spo2": 96, "breathlessness": 1},
            {"at": 40, "spo2": 97, "breathlessness": 1},
        ),
        (oxygen("critical", state="recovered", confirmed=True, recovered=True),),
        answers={"advice_code": "call_the_team"},
    ),
    Scenario(
        "91, then 96 and 97 within minutes: medium, transient, for a person to close",
        (
            {"at": 0, "spo2": 91, "breathlessness": 1},
            {"at": 5, "spo2": 96, "breathlessness": 1},
            {"at": 12, "spo2": 97, "breathlessness": 1},
        ),
        (oxygen("medium", state="open", confirmed=False, peak_severity="critical"),),
    ),
    Scenario(
        "a transient red that stays good is still listed",
        (
            {"at": 0, "spo2": 91, "breathlessness": 1},
            {"at": 5, "spo2": 96, "breathlessness": 1},
            {"at": 12, "spo2": 97, "breathlessness": 1},
            {"at": 60, "spo2": 97, "breathlessness": 1},
        ),
        (oxygen("medium", state="recovered", peak_severity="critical"),),
    ),
    Scenario(
        "92 on a poor signal, then 96 and 97 on a good one: transient",
        (
            {"at": 0, "spo2": 92, "breathlessness": 1, "perfusion_index": 0.2},
            {"at": 5, "spo2": 96, "breathlessness": 1, "perfusion_index": 3.0},
            {"at": 12, "spo2": 97, "breathlessness": 1, "perfusion_index": 3.0},
        ),
        (oxygen("medium", state="open", peak_severity="critical"),),
    ),
    Scenario(
        "a second red on a poor signal confirms nothing",
        (
            {"at": 0, "spo2": 92, "breathlessness": 1},
            {"at": 5, "spo2": 90, "breathlessness": 1, "signal_quality": "poor"},
        ),
        (oxygen("critical", confirmed=False),),
    ),
    Scenario(
        "acknowledged and reached, then red again five hours later: reopened",
        (
            {"at": 0, "spo2": 91, "breathlessness": 1},
            {"at": 10, "then": {"acknowledge": "oxygen"}},
            {"at": 20, "then": {"contact": "oxygen"}},
            {"at": 310, "spo2": 91, "breathlessness": 1},
        ),
        (oxygen("critical", state="open", respond_within=15),),
        waits=True,
    ),
    Scenario(
        "45 is measured again, not believed",
        ({"at": 0, "spo2": 45, "breathlessness": 1},),
        (technical("high", title="implausible_low"),),
        answers={"advice_code": "measure_again_now"},
    ),
    Scenario(
        "45 and then 47 within a quarter of an hour is critical",
        ({"at": 0, "spo2": 45, "breathlessness": 1}, {"at": 10, "spo2": 47, "breathlessness": 1}),
        (technical("high"), oxygen("critical", confirmed=False)),
    ),
    Scenario(
        "45 and no usable value for a quarter of an hour is critical",
        ({"at": 0, "spo2": 45, "breathlessness": 1},),
        (technical("high"), oxygen("critical", title="spo2_red", confirmed=False)),
        wait_until=15,
        waits=True,
    ),
    Scenario(
        "45, then 97, is a matter of the device only",
        ({"at": 0, "spo2": 45, "breathlessness": 1}, {"at": 5, "spo2": 97, "breathlessness": 1}),
        (technical("high"),),
        wait_until=20,
        waits=True,
    ),
    Scenario(
        "high without a reading for a day, then a pulse alone, stays open",
        ({"at": 0, "spo2": 93, "breathlessness": 0}, {"at": 1440, "pulse_rate": 80}),
        (oxygen("high", state="open"),),
        waits=True,
    ),
    Scenario(
        "high without a reading for a day, then 97 on a poor signal, stays open",
        (
            {"at": 0, "spo2": 93, "breathlessness": 0},
            {"at": 1440, "spo2": 97, "signal_quality": "poor"},
            {"at": 1460, "spo2": 97, "signal_quality": "poor"},
        ),
        (oxygen("high", state="open"),),
        waits=True,
    ),
    Scenario(
        "rest 96 after a walk at 98 clears nothing",
        (
            {"at": 0, "spo2": 94, "breathlessness": 0},
            {"at": 10, "spo2": 98, "context": "post_exertion_40_steps"},
            {"at": 30, "spo2": 98, "context": "post_exertion_40_steps"},
        ),
        (oxygen("medium", state="open"),),
    ),
)

PROFILES = (
    Scenario(
        "hypercapnic, 90 on air, breathless as usual: no alert",
        ({"at": 0, "spo2": 90, "oxygen_flow": 0, "breathlessness": 3},),
        (),
        plan={**HYPERCAPNIC, "usual_breathlessness": 3},
        answers={"news2_scores": {"spo2": 0, "oxygen": 0}},
    ),
    Scenario(
        "hypercapnic, 94 twice on air: nothing",
        ({"at": 0, "spo2": 94, "oxygen_flow": 0}, {"at": 20, "spo2": 94, "oxygen_flow": 0}),
        (),
        plan=HYPERCAPNIC,
        answers={"news2_scores": {"spo2": 0, "oxygen": 0}},
    ),
    Scenario(
        "hypercapnic, 94 twice on oxygen: too much",
        ({"at": 0, "spo2": 94, "oxygen_flow": 1}, {"at": 20, "spo2": 94, "oxygen_flow": 1}),
        ({"family": "over_oxygenation", "severity": "medium"},),
        plan=HYPERCAPNIC,
        answers={"news2_scores": {"spo2": 1, "oxygen": 2}},
    ),
    Scenario(
        "hypercapnic, 95 twice, flow not said, plan on oxygen: too much, sub-score missing",
        ({"at": 0, "spo2": 95}, {"at": 20, "spo2": 95}),
        ({"family": "over_oxygenation", "severity": "medium"},),
        plan={**HYPERCAPNIC, "prescribed_oxygen_flow": 1},
        answers={"news2_scores": {}},
    ),
    Scenario(
        "hypercapnic, 97 on oxygen acknowledged, then 86: an alert of its own",
        (
            {"at": 0, "spo2": 97, "oxygen_flow": 2},
            {"at": 20, "spo2": 97, "oxygen_flow": 2},
            {"at": 25, "then": {"acknowledge": "over_oxygenation"}},
            {"at": 60, "spo2": 86, "oxygen_flow": 2, "breathlessness": 1},
        ),
        (
            {"family": "over_oxygenation", "severity": "high", "state": "acknowledged"},
            {"family": "early_warning", "severity": "high", "title": "news2_at_least"},
            oxygen("high", state="open", title="silent_hypoxia"),
        ),
        plan=HYPERCAPNIC,
    ),
    Scenario(
        "hypercapnic, 85 is red",
        ({"at": 0, "spo2": 85, "breathlessness": 1},),
        (oxygen("critical"),),
        plan=HYPERCAPNIC,
    ),
    Scenario(
        "usual 99, 96 twice: a drop",
        ({"at": 0, "spo2": 96}, {"at": 240, "spo2": 96}),
        (oxygen("low", title="baseline_drop"),),
        plan={"baseline_spo2": 99},
    ),
    Scenario(
        "usual 97, 94 twice: high, one alert",
        ({"at": 0, "spo2": 94, "breathlessness": 0}, {"at": 20, "spo2": 94, "breathlessness": 0}),
        (oxygen("high"),),
        plan={"baseline_spo2": 97},
    ),
    Scenario(
        "95 on the prescribed 1 L, then 95 on 4 L: more oxygen",
        ({"at": 0, "spo2": 95, "oxygen_flow": 1}, {"at": 240, "spo2": 95, "oxygen_flow": 4}),
        (oxygen("high", title="more_oxygen"),),
        plan={"prescribed_oxygen_flow": 1},
    ),
    Scenario(
        "custom target 95, 94 twice above amber 91: below target",
        ({"at": 0, "spo2": 94}, {"at": 240, "spo2": 94}),
        (oxygen("low", title="below_target"),),
        plan={**CUSTOM, "red_at": 89, "amber_at": 91, "target_low": 95},
    ),
    Scenario(
        "a red limit lowered while red is open lowers nothing",
        (
            {"at": 0, "spo2": 90, "breathlessness": 1},
            {"at": 5, "then": {"plan": {**CUSTOM, "red_at": 88, "amber_at": 89}}},
            {"at": 10, "spo2": 90, "breathlessness": 1},
        ),
        (oxygen("critical", state="open"),),
    ),
)

ROUNDING = tuple(
    Scenario(f"{sent} is judged {judged}", ({"at": 0, "spo2": sent, "breathlessness": 1},), expect,
             answers={"judged_spo2": judged})
    for sent, judged, expect in (
        (94.6, 95, ()),
        (92.6, 93, (oxygen("high"),)),
        (92.5, 92, (oxygen("critical"),)),
        (92.4, 92, (oxygen("critical"),)),
    )
)  # fmt: skip

REFUSED = tuple(
    Scenario(f"SpO2 {value!r} is refused", ({"at": 0, "spo2": value},), (), refused=True)
    for value in (101, "94%", -1, float("nan"))
)

VITALS = (
    Scenario(
        "97 but only responding to voice: critical",
        ({"at": 0, "spo2": 97, "consciousness": "voice"},),
        ({"family": "symptoms", "severity": "critical", "title": "red_flag"},),
        answers={"advice_code": "emergency"},
    ),
    Scenario(
        "97 with a systolic pressure of 88: high",
        ({"at": 0, "spo2": 97, "systolic_bp": 88},),
        ({"family": "vitals", "severity": "high", "title": "vitals"},),
    ),
    Scenario(
        "breathing 24, pulse 125, 94: at least 5, and amber",
        ({"at": 0, "spo2": 94, "respiratory_rate": 24, "pulse_rate": 125},),
        (oxygen("medium"), {"family": "early_warning", "severity": "high", "title": "news2_at_least"}),
        answers={"news2_total": None, "news2_minimum": 5, "news2_risk": None},
    ),
    Scenario(
        "a set without breathing rate is incomplete, and the SpO2 still counts",
        ({"at": 0, "spo2": 92, **WITHOUT_BREATHING_RATE, "breathlessness": 3},),
        (oxygen("critical"),),
        answers={"news2_total": None, "news2_risk": None},
    ),
    Scenario(
        "NEWS2 of 5 is medium risk and high severity, with amber beside it",
        (
            {
                "at": 0,
                "spo2": 93,
                "respiratory_rate": 21,
                "oxygen_flow": 0,
                "systolic_bp": 120,
                "pulse_rate": 95,
                "consciousness": "alert",
                "temperature": 37.5,
            },
        ),
        (oxygen("medium"), {"family": "early_warning", "severity": "high", "title": "news2"}),
        answers={"news2_total": 5, "news2_risk": "medium"},
    ),
    Scenario(
        "90 alone abnormal in a complete set: one critical alert, the single 3 attached",
        ({"at": 0, "spo2": 90, **COMPLETE, "breathlessness": 1},),
        (oxygen("critical", rule_ids=["R1", "R3", "R9"]),),
        answers={"news2_total": 3, "news2_risk": "low_medium"},
    ),
    Scenario(
        "breathing 25 in a complete set: vitals only, the single 3 attached",
        ({"at": 0, "spo2": 97, **COMPLETE, "respiratory_rate": 25},),
        ({"family": "vitals", "severity": "high", "rule_ids": ["R13", "R9"]},),
    ),
    Scenario(
        "a normal pulse clears no abnormal breathing rate",
        (
            {"at": 0, "spo2": 97, "respiratory_rate": 26},
            {"at": 20, "spo2": 97, "pulse_rate": 80},
            {"at": 40, "spo2": 97, "pulse_rate": 80},
        ),
        ({"family": "vitals", "severity": "high", "state": "open"},),
    ),
    Scenario(
        "chest pain after a walk: critical in every context",
        ({"at": 0, "spo2": 97, "context": "post_exertion_40_steps", "symptoms": ["chest_pain"]},),
        ({"family": "symptoms", "severity": "critical", "title": "red_flag"},),
    ),
)

TIME = (
    Scenario(
        "88 observed three hours ago, the newest known: live, measure now, 15 minutes from receipt",
        ({"at": -180, "received": 0, "spo2": 88, "breathlessness": 1},),
        (oxygen("critical", confirmed=False, retrospective=False),),
        waits=True,
        answers={"advice_code": "measure_again_now", "late": True, "recheck_within": 15},
    ),
    Scenario(
        "88 of three hours ago when newer 96 and 97 are known: retrospective, no text",
        (
            {"at": -60, "spo2": 96, "breathlessness": 1},
            {"at": -30, "spo2": 97, "breathlessness": 1},
            {"at": -180, "received": 0, "spo2": 88, "breathlessness": 1},
        ),
        (oxygen("high", retrospective=True),),
        waits=True,
        answers={"advice_code": "recheck_within_1_hour", "recheck_within": None, "ask": []},
    ),
    Scenario(
        "the first reading of a stay, 26 hours old, 90: call the patient",
        ({"at": -1560, "received": 0, "spo2": 90, "breathlessness": 1},),
        (oxygen("high", retrospective=False),),
        waits=True,
    ),
    Scenario(
        "88 dated three hours ahead: kept, time corrected, critical and technical",
        ({"at": 180, "received": 0, "spo2": 88, "breathlessness": 1},),
        (oxygen("critical"), technical("medium", title="clock")),
        answers={"time_corrected": True},
    ),
    Scenario(
        "a right clock clears the technical alert",
        ({"at": 180, "received": 0, "spo2": 97}, {"at": 5, "spo2": 97}),
        (),
    ),
    Scenario(
        "a late normal value clears nothing newer",
        (
            {"at": 0, "spo2": 94, "breathlessness": 0},
            {"at": -60, "received": 5, "spo2": 97},
            {"at": -30, "received": 6, "spo2": 97},
        ),
        (oxygen("medium", state="open"),),
        waits=True,
    ),
)

SCENARIOS = (*BANDS, *CONFIRMATION, *PROFILES, *ROUNDING, *REFUSED, *VITALS, *TIME)
