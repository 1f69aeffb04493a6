"""What would end an alert, as a nurse reads it."""

import pytest

from alerts.clearing import ends_when
from alerts.severity import Family
from tests.alerts.stay import Stay


@pytest.mark.parametrize(
    ("values", "family", "said"),
    [
        (
            {"spo2": 94, "breathlessness": 0},
            Family.OXYGEN,
            "Two readings above 94 %, 15 min apart or more. It then resolves by itself.",
        ),
        (
            {"spo2": 91, "breathlessness": 3},
            Family.OXYGEN,
            "Two readings above 94 %, 15 min apart or more. A person then closes it.",
        ),
        ({"spo2": 97, "symptoms": ("chest_pain",)}, Family.SYMPTOMS, "A person closes it; no reading does."),
        (
            {"spo2": 97, "respiratory_rate": 26},
            Family.VITALS,
            "Two readings that do not meet it, 15 min apart or more. A person then closes it.",
        ),
    ],
)
def test_an_alert_says_what_has_to_come_and_who_ends_it(values, family, said):
    stay = Stay()
    stay.reads("09:00", **values)
    assert ends_when(stay.alert(family)) == said


def test_an_alert_that_has_recovered_is_for_a_person_to_close():
    stay = Stay()
    for at, spo2 in (("09:00", 91), ("09:05", 90), ("09:30", 97), ("09:50", 97)):
        stay.reads(at, spo2=spo2)
    assert ends_when(stay.alert()) == "What raised it is no longer met. A person closes it."


def test_a_rule_that_is_no_more_asks_for_nothing():
    stay = Stay()
    stay.reads("09:00", spo2=91, breathlessness=3)
    alert = stay.alert()
    gone = alert._replace(traces=tuple(trace._replace(key="R99") for trace in alert.traces))
    assert ends_when(gone) == "What raised it is no longer met. A person closes it."
