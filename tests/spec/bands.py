"""Green, amber, red, and how breathless the person is."""

from tests.spec.scenario import Scenario, oxygen

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
