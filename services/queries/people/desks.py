"""At whose desk people are administered, and who they are called."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from db.session import Viewer
from domain.authority import Actor, Permission
from services.queries.view import PersonRef


def people_desk(actor: Actor) -> Viewer:
    """The accounts and appointments of the areas that the actor administers."""
    return Viewer.at_desk(actor, Permission.PEOPLE_MANAGE)


def leaves_desk(actor: Actor) -> Viewer:
    """The appointments of the areas in which the actor declares leaves."""
    return Viewer.at_desk(actor, Permission.DELEGATIONS_MANAGE)


def person_of(user_id: UUID, names: Mapping[UUID, str]) -> PersonRef:
    """Somebody by name; `?` for one who has none any more."""
    return PersonRef(id=user_id, name=names.get(user_id, "?"))
