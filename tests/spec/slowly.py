"""What comes slowly, or keeps the oximeter from seeing: worse than yesterday, a falling trend, poor signals."""

from tests.spec.scenario import Scenario, missed, oxygen, technical

DAY = 1440


def symptoms(severity: str) -> dict[str, str]:
    return {"family": "symptoms", "severity": severity, "title": "worsening"}


SLOWLY = (
    Scenario("97 and worse than yesterday", ({"at": 0, "spo2": 97, "feeling": "worse"},), (symptoms("low"),)),
    Scenario(
        "97 and worse, the second day running",
        ({"at": 0, "spo2": 97, "feeling": "worse"}, {"at": DAY, "spo2": 97, "feeling": "worse"}),
        (symptoms("medium"), missed("high", state="recovered")),
        waits=True,
    ),
    Scenario(
        "97 and worse, then twice as yesterday: over",
        (
            {"at": 0, "spo2": 97, "feeling": "worse"},
            {"at": 240, "spo2": 97, "feeling": "same"},
            {"at": 600, "spo2": 97, "feeling": "same"},
        ),
        (),
    ),
    Scenario(
        "97 and two points more breathless than usual",
        ({"at": 0, "spo2": 97, "breathlessness": 3},),
        (symptoms("medium"),),
        plan={"usual_breathlessness": 1},
    ),
    Scenario(
        "usual 98; 98, 97, 97, 96, 96 over a day: falling",
        tuple({"at": at, "spo2": spo2} for at, spo2 in ((0, 98), (240, 97), (600, 97), (DAY, 96), (DAY + 240, 96))),
        (oxygen("low", title="trend_fall"),),
        plan={"baseline_spo2": 98},
        waits=True,
    ),
    Scenario(
        "usual 98; 98, 97, 97, 96, 95 over a day: falling, and close to amber",
        tuple({"at": at, "spo2": spo2} for at, spo2 in ((0, 98), (240, 97), (600, 97), (DAY, 96), (DAY + 240, 95))),
        (oxygen("medium", title="trend_fall"),),
        plan={"baseline_spo2": 98},
        waits=True,
    ),
    Scenario(
        "three poor signals in a row",
        tuple({"at": at, "spo2": 97, "perfusion_index": 0.2} for at in (0, 5, 10)),
        (technical("medium", title="quality_poor"),),
    ),
    Scenario(
        "three poor signals, then two good ones twenty minutes apart",
        (
            *({"at": at, "spo2": 97, "perfusion_index": 0.2} for at in (0, 5, 10)),
            *({"at": at, "spo2": 97, "perfusion_index": 3.0} for at in (15, 35)),
        ),
        (),
    ),
)
