"""Readings that are late, overtaken, or dated wrongly."""

from tests.spec.scenario import Scenario, oxygen, technical

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
