"""`python -m devstack.partners` runs both partners in one process until SIGINT or SIGTERM."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys

import uvloop
from pydantic import ValidationError

from devstack.partners.civil_registry import civil_registry
from devstack.partners.ministry import ministry
from devstack.partners.serve import serving
from devstack.partners.settings import PartnerSettings, address_of, load_partner_settings

log = logging.getLogger("kawal.partners")


async def run(settings: PartnerSettings) -> None:
    """Serve both partners until a signal to stop; raises `OSError` when a port is taken."""
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    folder = settings.data_dir / "partners"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    admin_token = settings.partner_admin_token.get_secret_value()
    registry = civil_registry(
        token=settings.civil_registry_token.get_secret_value(),
        admin_token=admin_token,
        path=folder / "civil_registry.sqlite",
    )
    gateway = ministry(
        token=settings.ministry_token.get_secret_value(),
        admin_token=admin_token,
        callback_url=settings.callback_url,
        webhook_secret=settings.ministry_webhook_secret.get_secret_value(),
        path=folder / "ministry.sqlite",
    )
    async with (
        serving(registry, address=address_of(settings.civil_registry_url)) as registry_url,
        serving(gateway, address=address_of(settings.ministry_url)) as gateway_url,
    ):
        log.info("civil registry at %s, Ministry gateway at %s", registry_url, gateway_url)
        await stop.wait()


def main() -> int:
    """Run until stopped; 1 when a setting is wrong or a port is taken."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    for chatty in ("httpx2", "uvicorn.error"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run(load_partner_settings()))
    except (ValidationError, OSError) as error:
        # The text names the setting or the port; a traceback would add nothing.
        log.error("the partners cannot start: %s", error)  # noqa: TRY400 - as said above
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
