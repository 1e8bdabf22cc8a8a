"""Whose parts in a case count: those in the case itself, and in the cases that it carries on."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ColumnElement, SQLColumnExpression, any_, cast, select
from sqlalchemy import Uuid as UuidType
from sqlalchemy.dialects.postgresql import ARRAY, array
from sqlalchemy.orm import aliased

from db.models import Update


def parts_of(of_update: SQLColumnExpression[UUID], update_id: SQLColumnExpression[UUID]) -> ColumnElement[bool]:
    """That a row belongs to the case, or to one that it carries on: the parts in all of them bar.

    It carries on the one whose rejection it appeals against, that which it reopens, and what the rejected one reopened.
    """
    case, appealed = aliased(Update), aliased(Update)
    one_line = (
        select(array([case.id, case.appeal_of, case.reopen_of, appealed.reopen_of]))
        .outerjoin(appealed, appealed.id == case.appeal_of)
        .where(case.id == update_id)
        .correlate_except(case, appealed)
        .scalar_subquery()
    )
    return of_update == any_(cast(one_line, ARRAY(UuidType())))
