"""The civil registry (Dukcapil) says whether what was declared of one person is what is registered."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from domain.vocabulary import MatchResult
from runtime.connectors.http import PartnerHttp

SixteenDigits = Annotated[str, StringConstraints(pattern=r"^[0-9]{16}$")]
FieldName = Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}$")]


class PersonQuery(BaseModel):
    """What was declared of one person. Nothing of it shows in a `repr` or in a validation error."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    nik: SixteenDigits = Field(repr=False)
    kk_number: SixteenDigits | None = Field(default=None, repr=False)
    name: str = Field(min_length=1, max_length=200, repr=False)
    birth_date: date = Field(repr=False)
    sex: Literal["female", "male"] = Field(repr=False)


class PersonMatch(BaseModel):
    """The registry's answer; `fields` names what differs and is empty unless `result` is MISMATCHED."""

    model_config = ConfigDict(frozen=True)

    result: MatchResult
    fields: tuple[str, ...] = ()


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    result: Literal[
        MatchResult.MATCHED,
        MatchResult.MISMATCHED,
        MatchResult.NOT_FOUND,
        MatchResult.DECEASED,
    ]
    fields: tuple[FieldName, ...]
    checked_at: AwareDatetime

    @model_validator(mode="after")
    def _names_what_differs(self) -> Self:
        if bool(self.fields) != (self.result is MatchResult.MISMATCHED):
            raise ValueError("A mismatch names its fields, and nothing else names any.")
        return self


class CivilRegistryClient:
    """A client of the civil registry, for one event loop; `timeout` in seconds bounds one whole call."""

    def __init__(self, url: str, token: str, *, timeout: float = 10.0) -> None:
        self._http = PartnerHttp(url, token, partner="civil_registry", timeout=timeout)

    async def match(self, person: PersonQuery) -> PersonMatch:
        """Compare one person. The result is never UNAVAILABLE and a fault is never a mismatch.

        Raises `PartnerUnavailable` when the registry gives no answer that can be relied on, with `cause` and
        `retry_after` (seconds or nothing) in its data; `PartnerContractError` when it refuses the request.
        """
        answer = await self._http.post("/v1/match", body=person, answer=_Answer)
        return PersonMatch(result=answer.result, fields=answer.fields)

    async def aclose(self) -> None:
        """Close the pooled connections."""
        await self._http.aclose()
