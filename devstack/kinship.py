"""Who lives together in an invented household: relations, sexes and ages that fit each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from devstack.chances import Chances
from domain.household import Education, MaritalStatus, Occupation, Relation, Sex

_MARRIED_HEADS = 0.78
_WITH_PARENT = 0.12
_OLDEST_CHILD_AT_HOME = 30
_GRANDPARENT_FROM = 52
_SCHOOL_AGES = range(7, 16)
_UPPER_SCHOOL_AGES = range(16, 19)
_WORKS_UNTIL = 70
_MARRIES_FROM = 19

_NINE_YEARS_UNTIL = 50
"""Who is older went to school before basic education took nine years."""

_SCHOOLED_LONG_AGO = Chances(dict(zip(Education, (22, 66, 8, 3, 1), strict=True)))
_SCHOOLED_LATELY = Chances(dict(zip(Education, (4, 46, 27, 20, 3), strict=True)))
_WORK_OF_WOMEN = Chances(
    {Occupation.HOMEMAKER: 68, Occupation.FARM_LABOURER: 16, Occupation.ARTISAN: 9, Occupation.TRADER: 7},
)
_WORK = Chances(
    {
        Occupation.FARM_LABOURER: 30,
        Occupation.CASUAL_LABOURER: 24,
        Occupation.FARMER: 20,
        Occupation.TRADER: 10,
        Occupation.ARTISAN: 5,
        Occupation.DRIVER: 4,
        Occupation.EMPLOYEE: 4,
        Occupation.NONE: 3,
    },
)


@dataclass(frozen=True, slots=True)
class Role:
    """One place in a household before it has a name: relation, sex, age in whole years, marital status."""

    relation: Relation
    sex: Sex
    age: int
    marital_status: MaritalStatus


def compose(rng: Random, *, size: int) -> Iterator[Role]:
    """The members of a household of that size, the head first."""
    if size == 1:
        yield _alone(rng)
        return
    married = rng.random() < _MARRIED_HEADS
    age = rng.randint(24, 68)
    yield Role(Relation.HEAD, Sex.MALE if married else Sex.FEMALE, age, _status_of_head(rng, married=married))
    left = size - 1
    if married:
        yield Role(Relation.SPOUSE, Sex.FEMALE, max(19, age - rng.randint(-2, 8)), MaritalStatus.MARRIED)
        left -= 1
    if left and rng.random() < _WITH_PARENT:
        yield Role(Relation.PARENT, Sex.FEMALE, min(96, age + rng.randint(19, 32)), MaritalStatus.WIDOWED)
        left -= 1
    for _ in range(left):
        yield _descendant(rng, head_age=age)


def education_of(rng: Random, role: Role) -> Education:
    """The highest school completed that the age allows; the old mostly left after primary school."""
    if role.age <= _SCHOOL_AGES[5]:
        return Education.NONE
    if role.age <= _SCHOOL_AGES[-1]:
        return Education.PRIMARY
    if role.age in _UPPER_SCHOOL_AGES:
        return Education.JUNIOR_SECONDARY
    return (_SCHOOLED_LONG_AGO if role.age > _NINE_YEARS_UNTIL else _SCHOOLED_LATELY).draw(rng)


def goes_to_school(rng: Random, role: Role) -> bool | None:
    """Whether someone of school age attends; None for everybody else."""
    if role.age in _SCHOOL_AGES:
        return rng.random() < 0.97  # noqa: PLR2004  a share
    if role.age in _UPPER_SCHOOL_AGES:
        return rng.random() < 0.68  # noqa: PLR2004  a share
    return None


def occupation_of(rng: Random, role: Role, *, in_school: bool | None) -> Occupation:
    """What someone of that age and sex mostly does in the hills south of Tasikmalaya."""
    if in_school:
        return Occupation.PUPIL
    if role.age <= _SCHOOL_AGES[-1] or role.age > _WORKS_UNTIL:
        return Occupation.NONE
    if role.sex is Sex.FEMALE and role.relation is not Relation.HEAD:
        return _WORK_OF_WOMEN.draw(rng)
    return _WORK.draw(rng)


def _alone(rng: Random) -> Role:
    sex = Sex.FEMALE if rng.random() < 0.72 else Sex.MALE  # noqa: PLR2004  a share
    status = MaritalStatus.WIDOWED if rng.random() < 0.8 else MaritalStatus.DIVORCED  # noqa: PLR2004  a share
    return Role(Relation.HEAD, sex, rng.randint(45, 88), status)


def _status_of_head(rng: Random, *, married: bool) -> MaritalStatus:
    if married:
        return MaritalStatus.MARRIED
    return rng.choice((MaritalStatus.WIDOWED, MaritalStatus.WIDOWED, MaritalStatus.DIVORCED))


def _descendant(rng: Random, *, head_age: int) -> Role:
    """A child whom the head had between 18 and 42, or of older heads now and then a grandchild."""
    sex = rng.choice((Sex.FEMALE, Sex.MALE))
    if head_age >= _GRANDPARENT_FROM and rng.random() < 0.35:  # noqa: PLR2004  a share
        return Role(Relation.GRANDCHILD, sex, rng.randint(0, head_age - 44), MaritalStatus.SINGLE)
    youngest, oldest = max(0, head_age - 42), max(0, min(head_age - 18, _OLDEST_CHILD_AT_HOME))
    age = rng.randint(min(youngest, oldest), oldest)
    grown = age >= _MARRIES_FROM and rng.random() < 0.1  # noqa: PLR2004  a share
    return Role(Relation.CHILD, sex, age, MaritalStatus.DIVORCED if grown else MaritalStatus.SINGLE)
