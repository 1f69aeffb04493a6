"""People who do not exist."""

from datetime import date
from random import Random

from service.patients.numbers import check_digit, nhs_number
from service.sandbox.people import make_people

TODAY = date(2026, 11, 22)


def test_every_nhs_number_is_valid_different_and_of_the_range_kept_for_tests():
    numbers = [person.nhs_number for person in make_people(500, Random(3), TODAY)]
    assert len(set(numbers)) == 500
    assert all(number.startswith("999") and nhs_number(number) == number for number in numbers)


def test_nine_digits_without_a_check_digit_are_left_out():
    without = [nine for nine in (f"999{n:06d}" for n in range(200)) if check_digit(nine) is None]
    assert without
    assert not any(nhs_number(f"{nine}{digit}") for nine in without for digit in range(10))


def test_the_people_are_adults_and_their_names_say_that_they_are_made_up():
    for person in make_people(100, Random(4), TODAY):
        assert 35 <= (TODAY - person.birth_date).days / 365 <= 92
        assert person.family_name.endswith("-Test")
