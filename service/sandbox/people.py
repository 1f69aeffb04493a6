"""People who do not exist: names, birth dates and NHS numbers of the range set aside for tests."""

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from service.patients.numbers import check_digit

GIVEN_NAMES = (
    "Abena", "Alasdair", "Bronwen", "Callum", "Carys", "Dilys", "Edith", "Farid", "Gareth", "Hania", "Imran",
    "Joan", "Kwame", "Leila", "Maureen", "Nerys", "Olu", "Parveen", "Rhodri", "Sheila", "Tomasz", "Una",
    "Vikram", "Winifred",
)  # fmt: skip
FAMILY_NAMES = (
    "Ashdown-Test", "Birchwood-Test", "Cloudsley-Test", "Dunmore-Test", "Elmsworth-Test", "Fernhill-Test",
    "Greenlaw-Test", "Hollowell-Test", "Inglebrook-Test", "Juniper-Test", "Kestrelford-Test", "Larkhill-Test",
    "Meadowcroft-Test", "Nightingale-Test", "Oakshott-Test", "Pebblebrook-Test", "Quillfeather-Test",
    "Rookhope-Test", "Sparrowden-Test", "Thistlewood-Test", "Umberleigh-Test", "Violetbank-Test",
    "Willowmere-Test", "Yarrowdale-Test",
)  # fmt: skip
TEST_RANGE = "999"
"""NHS numbers that begin so are never given to anybody."""


@dataclass(frozen=True, slots=True)
class Person:
    """A person as the API registers one. `nhs_number` is ten digits and has a right check digit."""

    family_name: str
    given_name: str
    birth_date: date
    nhs_number: str

    def as_patient(self) -> dict[str, object]:
        """The body of `POST /v1/wards/{id}/patients`."""
        return {
            "family_name": self.family_name,
            "given_name": self.given_name,
            "birth_date": self.birth_date.isoformat(),
            "identifiers": [{"system": "nhs_number", "value": self.nhs_number}],
        }


def make_people(count: int, random: Random, today: date) -> list[Person]:
    """So many adults with different NHS numbers, aged 35 to 92 years on the day given."""
    return [
        Person(
            family_name=FAMILY_NAMES[index % len(FAMILY_NAMES)],
            given_name=random.choice(GIVEN_NAMES),
            birth_date=today - timedelta(days=random.randint(35 * 365, 92 * 365)),
            nhs_number=number,
        )
        for index, number in enumerate(_numbers(count, random))
    ]


def _numbers(count: int, random: Random) -> list[str]:
    found: list[str] = []
    while len(found) < count:
        nine = f"{TEST_RANGE}{random.randrange(1_000_000):06d}"
        last = check_digit(nine)
        if last is not None and nine + last not in found:
            found.append(nine + last)
    return found
