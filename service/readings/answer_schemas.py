"""What is said about a reading after it was sent: an answer to its question, and that it was an error."""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from alerts.reading import Feeling, Symptom
from service.body import Schema
from service.fields import clean_text


class AnswerIn(Schema):
    """The answer to what a reading's `ask` asked. At least one of the three must be there."""

    breathlessness: float | None = Field(
        default=None, strict=True, ge=0, le=10, multiple_of=0.5, allow_inf_nan=False, description="Borg CR10, in halves"
    )
    feeling: Feeling | None = Field(default=None, description="Compared with yesterday")
    symptoms: Annotated[list[Symptom], Field(max_length=len(Symptom))] | None = Field(
        default=None, description="Absent: not asked. Empty: asked, none."
    )

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
