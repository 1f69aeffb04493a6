"""Just after walking or standing up: adds concern, never takes any away."""

from tests.spec.scenario import Scenario, oxygen

STEPS = "post_exertion_40_steps"

EXERTION = (
    Scenario(
        "97 at rest, 94 after 40 steps is a fall",
        ({"at": 0, "spo2": 97}, {"at": 3, "spo2": 94, "context": STEPS}),
        (oxygen("medium", title="exertion_desaturation"),),
    ),
    Scenario(
        "97 at rest, 95 after 40 steps is none",
        ({"at": 0, "spo2": 97}, {"at": 3, "spo2": 95, "context": STEPS}),
        (),
    ),
    Scenario(
        "97 at rest eleven minutes before is another session",
        ({"at": 0, "spo2": 97}, {"at": 11, "spo2": 94, "context": STEPS}),
        (),
    ),
    Scenario(
        "91 at rest, then 98 after exertion clears nothing",
        (
            {"at": 0, "spo2": 91, "breathlessness": 1},
            {"at": 5, "spo2": 98, "context": STEPS},
            {"at": 12, "spo2": 98, "context": STEPS},
        ),
        (oxygen("critical", state="open", confirmed=False),),
    ),
    Scenario(
        "85 after exertion is high",
        ({"at": 0, "spo2": 85, "context": STEPS},),
        (oxygen("high", title="exertion_desaturation"),),
    ),
    Scenario(
        "85 after exertion and no resting value in ten minutes is critical",
        ({"at": 0, "spo2": 85, "context": STEPS},),
        (oxygen("critical"),),
        wait_until=10,
        waits=True,
    ),
    Scenario(
        "85 after exertion and 97 at rest after five minutes stays high",
        ({"at": 0, "spo2": 85, "context": STEPS}, {"at": 5, "spo2": 97}),
        (oxygen("high", state="open"),),
        wait_until=10,
        waits=True,
    ),
)
