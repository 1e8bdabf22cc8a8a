from __future__ import annotations

from pathlib import Path

import pytest

from domain.errors import EvidenceUnavailable
from domain.evidence import ContentFault
from runtime.evidence import scanner
from runtime.evidence.examination import Examination
from runtime.evidence.scanner import NoScanner, open_scanner
from runtime.evidence.verdicts import Refused
from tests.evidence.clamd import running_clamd
from tests.evidence.files import EICAR, photo


async def test_a_virus_is_found_and_named_in_whatever_it_hides() -> None:
    async with running_clamd() as clamd:
        asked = open_scanner(f"tcp://127.0.0.1:{clamd.port}")
        assert await asked.infection(EICAR) == "Eicar-Test-Signature"
        assert await asked.infection(bytes(300_000) + EICAR) == "Eicar-Test-Signature"
        assert await asked.infection(b"a paper") is None
        assert clamd.scanned == [len(EICAR), 300_000 + len(EICAR), 7]


async def test_a_local_socket_does_as_well(tmp_path: Path) -> None:
    async with running_clamd(tmp_path / "clamd.ctl"):
        asked = open_scanner(f"unix://{tmp_path}/clamd.ctl")
        assert await asked.infection(EICAR) == "Eicar-Test-Signature"


async def test_what_was_not_scanned_does_not_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EvidenceUnavailable):
        await open_scanner("tcp://127.0.0.1:9").infection(b"a paper")
    async with running_clamd() as clamd:
        asked = open_scanner(f"tcp://127.0.0.1:{clamd.port}")
        clamd.reply = b"INSTREAM size limit exceeded. ERROR"
        with pytest.raises(EvidenceUnavailable):
            await asked.infection(b"a paper")
        monkeypatch.setattr(scanner, "_PATIENCE", 0.2)
        clamd.silent = True
        with pytest.raises(EvidenceUnavailable):
            await asked.infection(b"a paper")


async def test_an_infected_photo_is_refused_before_it_is_decoded_and_a_clean_one_is_noted_as_scanned() -> None:
    async with running_clamd() as clamd:
        examination = Examination(open_scanner(f"tcp://127.0.0.1:{clamd.port}"))
        with pytest.raises(Refused) as refused:
            await examination.examine(photo() + EICAR)
        assert refused.value.fault is ContentFault.MALWARE
        assert (await examination.examine(photo())).scanned
    assert not (await Examination(NoScanner()).examine(photo())).scanned
