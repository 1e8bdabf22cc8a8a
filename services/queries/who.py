"""Names of people and of the offices behind roles, for a whole answer in one statement."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.vocabulary import Role
from services.queries.view import OfficeRef, PersonRef

_WHO = text(
    """
    SELECT 'person' AS what, user_id AS id, NULL::bigint AS n, display_name AS name, NULL::text AS tier
    FROM kawal_names(:people)
    UNION ALL
    SELECT 'office', id, NULL, name, tier FROM offices WHERE id = ANY (:offices)
    UNION ALL
    SELECT 'post', office_id, n, office_name, tier FROM kawal_posts(:areas, :roles, :moments)
    ORDER BY name, id
    """,
)


class Post(NamedTuple):
    """A role over an area, at a moment."""

    area_code: str
    role: Role
    at: datetime


@dataclass(frozen=True, slots=True)
class Who:
    """The names that an answer needs."""

    names: dict[UUID, str]
    offices: dict[UUID, OfficeRef]
    posts: dict[Post, tuple[OfficeRef, ...]]

    def person(self, user_id: UUID | None) -> PersonRef | None:
        """The person of this id; None for nobody, and for an account that is gone."""
        name = None if user_id is None else self.names.get(user_id)
        return None if user_id is None or name is None else PersonRef(id=user_id, name=name)

    def office(self, office_id: UUID | None) -> OfficeRef | None:
        """The office of this id."""
        return None if office_id is None else self.offices.get(office_id)

    def offices_of(self, post: Post) -> tuple[OfficeRef, ...]:
        """The offices in which somebody holds the post; none when it is vacant."""
        return self.posts.get(post, ())


async def read_who(
    connection: AsyncConnection,
    *,
    people: Iterable[UUID | None] = (),
    offices: Iterable[UUID | None] = (),
    posts: Iterable[Post] = (),
) -> Who:
    """Who these people, offices and posts are. Asks nothing when there is nobody to ask about."""
    asked = list(dict.fromkeys(posts))
    wanted = {
        "people": list({user_id for user_id in people if user_id is not None}),
        "offices": list({office_id for office_id in offices if office_id is not None}),
        "areas": [post.area_code for post in asked],
        "roles": [post.role.value for post in asked],
        "moments": [post.at for post in asked],
    }
    names: dict[UUID, str] = {}
    by_id: dict[UUID, OfficeRef] = {}
    by_post: dict[Post, list[OfficeRef]] = defaultdict(list)
    for row in (await connection.execute(_WHO, wanted)) if any(wanted.values()) else ():
        if row.what == "person":
            names[row.id] = row.name
            continue
        office = OfficeRef(id=row.id, name=row.name, tier=row.tier)
        if row.what == "office":
            by_id[office.id] = office
        else:
            by_post[asked[row.n - 1]].append(office)
    return Who(names, by_id, {post: tuple(found) for post, found in by_post.items()})
