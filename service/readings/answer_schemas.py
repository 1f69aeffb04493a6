"""What is said about a reading after it was sent: an answer to its question, and that it was an error."""

from typing import Annotated, Self

from pydantic import AfterValidator, StringConstraints, model_validator

from alerts.reading import Feeling
from service.body import Schema
from service.fields import clean_text
from service.readings.schemas import BREATHLESSNESS, FEELING, SYMPTOMS, Symptoms


class AnswerIn(Schema):
    """The answer to what a reading's `ask` asked. At least one of the three must be there."""

    breathlessness: float | None = BREATHLESSNESS
    feeling: Feeling | None = FEELING
    symptoms: Symptoms | None = SYMPTOMS

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.breathlessness is None and self.feeling is None and self.symptoms is None:
            raise ValueError("must carry breathlessness, feeling or symptoms")
        return self


Reason = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500), AfterValidator(clean_text)
]


class ErrorIn(Schema):
    """Why a reading was entered in error. The text is kept with the reading and shown nowhere else."""

    reason: Reason
