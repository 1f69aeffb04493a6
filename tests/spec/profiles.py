"""Limits of their own: hypercapnic, custom, a usual value, a prescription."""

from tests.spec.scenario import CUSTOM, HYPERCAPNIC, Scenario, oxygen

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
        "90 in a pause is critical all the same",
        ({"at": 0, "then": {"pause": 600}}, {"at": 60, "spo2": 90, "breathlessness": 1}),
        (oxygen("critical", state="open"),),
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
