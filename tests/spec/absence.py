"""What does not come: readings, rechecks, a usual value, a review. Admitted at 07:50; readings at 09:00, 13:00 and
19:00."""

from tests.spec.scenario import CUSTOM, Scenario, lacking, missed, oxygen

ABSENCE = (
    Scenario(
        "nothing arrives: only a reminder for four hours",
        (),
        (),
        wait_until=309,
        waits=True,
    ),
    Scenario(
        "nothing arrives: low at 13:00, four hours after the first reading was due",
        (),
        (missed("low", title="missed_reading", rule_ids=["R14"]),),
        wait_until=310,
        waits=True,
    ),
    Scenario(
        "nothing arrives for a day: high",
        (),
        (missed("high", state="open"),),
        wait_until=1440,
        waits=True,
    ),
    Scenario(
        "nothing arrives for a day but one minute: still low",
        (),
        (missed("low", state="open"),),
        wait_until=1439,
        waits=True,
    ),
    Scenario(
        "the last value 94 and its alert open, the reading of 13:00 missed: high at 14:00",
        ({"at": 70, "spo2": 94, "breathlessness": 0},),
        (oxygen("high"), missed("high")),
        wait_until=370,
        waits=True,
    ),
    Scenario(
        "the same a minute earlier",
        ({"at": 70, "spo2": 94, "breathlessness": 0},),
        (oxygen("high"),),
        wait_until=369,
        waits=True,
    ),
    Scenario(
        "high for a day without a reading, then 97: recovered, for a person to close",
        ({"at": 1450, "spo2": 97, "breathlessness": 0},),
        (missed("high", state="recovered", recovered=True),),
        waits=True,
    ),
    Scenario(
        "low, then 97: resolved by itself",
        ({"at": 320, "spo2": 97, "breathlessness": 0},),
        (),
        waits=True,
    ),
    Scenario(
        "94 and no recheck for an hour: high, confirmed, and the missed recheck is named",
        ({"at": 0, "spo2": 94, "breathlessness": 0},),
        (oxygen("high", confirmed=True, rule_ids=["R2", "R3", "R15"]),),
        wait_until=60,
        waits=True,
    ),
    Scenario(
        "92 and no recheck for a quarter of an hour: critical, confirmed, the missed recheck named",
        ({"at": 0, "spo2": 92, "breathlessness": 1},),
        (oxygen("critical", confirmed=True, rule_ids=["R1", "R3", "R15"]),),
        wait_until=15,
        waits=True,
    ),
    Scenario(
        "no usual value after two days",
        ({"at": 0, "spo2": 97, "breathlessness": 0}, {"at": 2870, "spo2": 97, "breathlessness": 0}),
        (missed("high", state="recovered"), lacking("low", title="review_due")),
        wait_until=2880,
        waits=True,
    ),
    Scenario(
        "home oxygen without limits of one's own",
        ({"at": 0, "spo2": 97, "breathlessness": 0},),
        (lacking("low", rule_ids=["R23"]),),
        plan={"prescribed_oxygen_flow": 2, "baseline_spo2": 97},
        waits=True,
    ),
    Scenario(
        "home oxygen with limits of one's own",
        ({"at": 0, "spo2": 97, "breathlessness": 0},),
        (),
        plan={**CUSTOM, "red_at": 88, "amber_at": 90, "prescribed_oxygen_flow": 2, "baseline_spo2": 97},
    ),
)
