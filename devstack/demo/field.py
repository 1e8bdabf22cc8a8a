"""A visit to the field as the demonstration makes it: a photo is taken, and what was found is reported."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Final

from PIL import Image, ImageDraw

from devstack.demo.api import Api, Document
from domain.evidence import EvidenceType
from domain.vocabulary import GroundOutcome

LOOKER: Final = "pkh.taraju"
"""The facilitator of the district."""
_STOOD: Final = {"latitude": -7.4637, "longitude": 107.9936, "accuracy_m": 12}
"""Where a device in this demonstration says that it is: somewhere in the district, and at nobody's door."""


async def look(
    api: Api, task_id: str, *, village: str, outcome: GroundOutcome, observed: Document | None = None
) -> None:
    """Report as the facilitator what was found, with a photo."""
    photo = await api.upload(LOOKER, _house(), area_code=village, kind=EvidenceType.HOUSE_PHOTO.value)
    body: Document = {
        "outcome": outcome.value,
        "coordinates": _STOOD,
        "seen_at": datetime.now(UTC).isoformat(),
        "photos": [photo],
    }
    if observed is not None:
        body["observed"] = observed
    await api.post(LOOKER, f"/v1/tasks/{task_id}/ground-check-report", body)


def _house() -> bytes:
    """A photo of a house, as far as a demonstration has one."""
    view = Image.new("RGB", (640, 420), "skyblue")
    pen = ImageDraw.Draw(view)
    pen.rectangle((160, 210, 480, 380), fill="wheat", outline="saddlebrown")
    pen.polygon(((140, 210), (320, 90), (500, 210)), fill="firebrick")
    content = io.BytesIO()
    view.save(content, "JPEG")
    return content.getvalue()
