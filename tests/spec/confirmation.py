"""What confirms a low value, what contradicts it, and what clears it."""

from tests.spec.scenario import Scenario, missed, oxygen, technical

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
        (technical("high"), oxygen("critical", confirmed=True)),
        answers={"advice_code": "emergency"},
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
        (oxygen("high", state="open"), missed("high", state="open")),
        waits=True,
    ),
    Scenario(
        "high without a reading for a day, then 97 on a poor signal, stays open",
        (
            {"at": 0, "spo2": 93, "breathlessness": 0},
            {"at": 1440, "spo2": 97, "signal_quality": "poor"},
            {"at": 1460, "spo2": 97, "signal_quality": "poor"},
        ),
        (oxygen("high", state="open"), missed("high", state="open")),
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
