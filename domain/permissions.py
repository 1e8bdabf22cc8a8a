"""What may be done at all: permissions, and which of them each role has in its area."""

from __future__ import annotations

from enum import StrEnum

from domain.vocabulary import Role


class Permission(StrEnum):
    """What an endpoint asks for, as `scope:resource:action`."""

    UPDATES_READ = "area:updates:read"
    UPDATES_SUBMIT = "area:updates:submit"
    UPDATES_REPAIR = "area:updates:repair"
    UPDATES_WITHDRAW = "area:updates:withdraw"
    UPDATES_APPEAL = "area:updates:appeal"
    UPDATES_REOPEN = "area:updates:reopen"
    INFORMATION_ANSWER = "area:information:answer"
    TASKS_READ = "area:tasks:read"
    TASKS_WORK = "area:tasks:work"
    STALLED_READ = "area:stalled:read"
    HOUSEHOLDS_READ = "area:households:read"
    PERSONS_UNMASK = "area:persons:unmask"
    UNMASKING_READ = "area:unmasking:read"
    UNMASKING_REQUEST = "area:unmasking:request"
    UNMASKING_APPROVE = "area:unmasking:approve"
    READ_LOG_READ = "area:read-log:read"
    AUDIT_READ = "area:audit:read"
    EVIDENCE_UPLOAD = "area:evidence:upload"
    EVIDENCE_READ = "area:evidence:read"
    POLICIES_READ = "nation:policies:read"
    POLICIES_DRAFT = "area:policies:draft"
    POLICIES_COMMENT = "area:policies:comment"
    POLICIES_PUBLISH = "area:policies:publish"
    PEOPLE_MANAGE = "area:people:manage"
    DELEGATIONS_MANAGE = "area:delegations:manage"
    MINUTES_RECORD = "area:minutes:record"
    CASES_CORRECT = "area:cases:correct"
    ENGINE_READ = "nation:engine:read"
    HOLDS_MANAGE = "area:holds:manage"
    CLOCKS_ORDER = "area:clocks:order"
    ROUNDS_PLAN = "area:rounds:plan"
    ROUNDS_SIGN = "area:rounds:sign"
    WORK_LISTS_ORDER = "area:work-lists:order"
    EVENT_LOG_EXPORT = "area:event-log:export"
    EVALUATIONS_RUN = "area:evaluations:run"
    AREAS_LOCATE = "area:areas:locate"
    RIGHTS_HANDLE = "area:rights:handle"
    RIGHTS_ANSWER = "area:rights:answer"


READING = frozenset(
    {
        Permission.UPDATES_READ,
        Permission.TASKS_READ,
        Permission.STALLED_READ,
        Permission.HOUSEHOLDS_READ,
        Permission.AUDIT_READ,
        Permission.POLICIES_READ,
    },
)
"""What changes nothing: all that is left to a seat whose holder is on leave."""
LENT = READING | {
    Permission.TASKS_WORK,
    Permission.UPDATES_REPAIR,
    Permission.PERSONS_UNMASK,
    Permission.EVIDENCE_READ,
    Permission.EVIDENCE_UPLOAD,
    Permission.MINUTES_RECORD,
    Permission.INFORMATION_ANSWER,
    Permission.ROUNDS_SIGN,
}
"""What a leave lends at most: work on tasks, and what it takes to see them. Nobody submits or appoints for another."""
_CONSULTED = frozenset({Permission.POLICIES_COMMENT})
_OFFICER = (
    READING
    | _CONSULTED
    | {Permission.TASKS_WORK, Permission.PERSONS_UNMASK, Permission.EVIDENCE_READ, Permission.INFORMATION_ANSWER}
)
_LOOKER = _OFFICER | {Permission.EVIDENCE_UPLOAD}
_SUPERVISOR = _OFFICER | {Permission.DELEGATIONS_MANAGE, Permission.UPDATES_REOPEN, Permission.ROUNDS_SIGN}
_SUBMITTER = _OFFICER | {Permission.UPDATES_SUBMIT, Permission.UPDATES_APPEAL, Permission.EVIDENCE_UPLOAD}
_OPERATOR = _SUBMITTER | {
    Permission.UPDATES_REPAIR,
    Permission.UPDATES_WITHDRAW,
    Permission.UPDATES_REOPEN,
    Permission.WORK_LISTS_ORDER,
    Permission.ROUNDS_SIGN,
}
_BULK = frozenset({Permission.UNMASKING_READ, Permission.UNMASKING_REQUEST})
_SECOND_EYES = frozenset({Permission.UNMASKING_READ, Permission.UNMASKING_APPROVE})
_OBSERVER = frozenset({Permission.STALLED_READ, Permission.POLICIES_READ})
_SERVICE = READING | {Permission.UPDATES_SUBMIT, Permission.EVIDENCE_UPLOAD}
"""A machine reads and submits: it decides, repairs and withdraws nothing, and sees nobody in the clear."""

PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.VILLAGE_OPERATOR: _OPERATOR,
    Role.VILLAGE_HEAD: _OFFICER
    | {Permission.MINUTES_RECORD, Permission.EVIDENCE_UPLOAD, Permission.WORK_LISTS_ORDER, Permission.ROUNDS_SIGN},
    Role.VILLAGE_COUNCIL: READING | _CONSULTED,
    Role.PUSKESOS_OFFICER: _SUBMITTER | {Permission.ROUNDS_SIGN},
    Role.GROUND_CHECKER: _LOOKER,
    Role.DISTRICT_SUPERVISOR: _SUPERVISOR | _LOOKER,
    Role.SUBDISTRICT_HEAD: _SUPERVISOR,
    Role.REGENCY_VERIFIER: _OFFICER | _BULK | {Permission.ROUNDS_SIGN},
    Role.REGENCY_SUPERVISOR: _SUPERVISOR
    | _BULK
    | {Permission.RIGHTS_HANDLE, Permission.CLOCKS_ORDER, Permission.AREAS_LOCATE},
    Role.REGENCY_HEAD: _SUPERVISOR
    | _SECOND_EYES
    | {Permission.HOLDS_MANAGE, Permission.RIGHTS_HANDLE, Permission.RIGHTS_ANSWER, Permission.POLICIES_PUBLISH},
    Role.REGENCY_ASSISTANT: _OFFICER | {Permission.ROUNDS_SIGN},
    Role.REGENCY_SECRETARY: READING | _CONSULTED,
    Role.REGENT: READING | _CONSULTED,
    Role.INSPECTORATE: READING
    | _CONSULTED
    | _SECOND_EYES
    | {Permission.READ_LOG_READ, Permission.EVIDENCE_READ, Permission.HOLDS_MANAGE},
    Role.DATA_PROTECTION_OFFICER: READING
    | _CONSULTED
    | _SECOND_EYES
    | {
        Permission.PERSONS_UNMASK,
        Permission.READ_LOG_READ,
        Permission.EVIDENCE_READ,
        Permission.HOLDS_MANAGE,
        Permission.RIGHTS_HANDLE,
        Permission.RIGHTS_ANSWER,
    },
    Role.PROVINCE_OBSERVER: _OBSERVER,
    Role.MINISTRY_OFFICER: READING | {Permission.POLICIES_PUBLISH},
    Role.PLANNER: READING | _BULK | {Permission.POLICIES_DRAFT, Permission.ROUNDS_PLAN, Permission.WORK_LISTS_ORDER},
    Role.EVALUATOR: READING | _CONSULTED | {Permission.EVENT_LOG_EXPORT, Permission.EVALUATIONS_RUN},
    Role.ADMINISTRATOR: frozenset(
        {
            Permission.POLICIES_READ,
            Permission.POLICIES_DRAFT,
            Permission.POLICIES_PUBLISH,
            Permission.STALLED_READ,
            Permission.PEOPLE_MANAGE,
            Permission.DELEGATIONS_MANAGE,
            Permission.CASES_CORRECT,
            Permission.CLOCKS_ORDER,
            Permission.AREAS_LOCATE,
            Permission.ENGINE_READ,
        },
    ),
    Role.PEER_OFFICER: frozenset({Permission.INFORMATION_ANSWER}),
    Role.SERVICE: _SERVICE,
}
"""What each role may do in its area. Powers over a single task come on top, from the policy's grants."""
