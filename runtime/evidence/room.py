"""All that a process works with when it handles files: the archive, the examination, and what may be taken in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from runtime.evidence.archive import Archive
from runtime.evidence.examination import Examination
from runtime.evidence.objects import Objects, S3Access, open_objects
from runtime.evidence.scanner import open_scanner
from runtime.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What is taken in: bytes a file, unfinished uploads an account, and how long one may rest."""

    most_bytes: int = 10 * 1024 * 1024
    most_uploads: int = 20
    upload_ttl: timedelta = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class EvidenceRoom:
    """Where evidence is handled."""

    archive: Archive
    examination: Examination
    limits: Limits

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The room that the settings describe. Connects to nothing before something is asked for."""
        limits = Limits(
            most_bytes=settings.evidence_max_bytes,
            most_uploads=settings.evidence_max_uploads,
            upload_ttl=settings.evidence_upload_ttl,
        )
        return cls(open_archive(settings), Examination(open_scanner(settings.evidence_scanner)), limits)


def open_archive(settings: Settings) -> Archive:
    """The archive that the settings describe, sealed under the field keys."""
    return Archive(_objects(settings), settings.field_keys)


def _objects(settings: Settings) -> Objects:
    secret = settings.evidence_s3_secret_access_key
    access = S3Access(
        endpoint=settings.evidence_s3_endpoint,
        region=settings.evidence_s3_region,
        access_key_id=settings.evidence_s3_access_key_id,
        secret_access_key=None if secret is None else secret.get_secret_value(),
    )
    return open_objects(settings.evidence_place, access)
