"""Rounding, refusals, vital signs, red flags and NEWS2."""

from tests.spec.scenario import COMPLETE, WITHOUT_BREATHING_RATE, Scenario, oxygen

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
