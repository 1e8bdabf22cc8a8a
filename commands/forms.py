"""What a command is told, read by the form that the API reads: the same faults in the same words."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from api.validation import violations_of
from domain.errors import InvalidInput

_Form = TypeVar("_Form", bound=BaseModel)


def read_form(form: type[_Form], **told: Any) -> _Form:
    """The request that these values make. Raises InvalidInput, which names every one that is at fault."""
    try:
        return form.model_validate(told)
    except ValidationError as invalid:
        faults = [{**fault, "loc": ("body", *fault["loc"])} for fault in invalid.errors()]
        raise InvalidInput(violations_of(faults, body=told)) from None
