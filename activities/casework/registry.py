"""The end of a good case: its change becomes the registry's, in the transaction that closes it."""

from __future__ import annotations

from activities.casework.work import Work
from db.repositories.registry import read_counterpart, read_household, write_households
from domain.changes import Applied, Conflicted, apply_change
from domain.ids import new_id


async def apply_to_registry(work: Work) -> Applied | Conflicted:
    """Merge the change into the household as it is now, and write it; nothing is written on a conflict."""
    proposed = (await work.revision()).change
    base = await work.base()
    current = None
    if work.case.household_id is not None:
        current = await read_household(work.connection, work.case.household_id, vault=work.vault, lock=True)
    other = await read_counterpart(work.connection, proposed, vault=work.vault, lock=True)
    calendar = await work.calendar()
    merged = apply_change(
        proposed,
        base=base,
        current=current,
        area_code=work.case.area_code,
        new_ids=new_id,
        on=calendar.local_day(work.at),
        other=other,
    )
    if isinstance(merged, Applied):
        await write_households(
            work.connection,
            merged.households,
            update_id=work.case.id,
            at=work.at,
            vault=work.vault,
        )
    return merged


async def current_version(work: Work) -> int | None:
    """The version that the household of the case has in the registry now."""
    if work.case.household_id is None:
        return None
    return (await read_household(work.connection, work.case.household_id, vault=work.vault)).version
