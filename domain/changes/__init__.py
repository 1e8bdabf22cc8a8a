"""What a household update may propose: one small module for each kind, and what is done with any of them.

Check a submission (`check_change`), ask the civil registry (`identity_expectations`), compare (`diff_change`),
apply (`apply_change`), and see what a repair altered (`revised`). A further kind is a module with a `KindSpec`
listed in `registry.py`.
"""

from domain.changes.absorption import TwoVersions
from domain.changes.add_member import AddMember
from domain.changes.base import (
    ChangeBase,
    Counterpart,
    IdentityExpectation,
    KindSpec,
    MemberRelation,
    SubmissionContext,
)
from domain.changes.change_head import ChangeHead
from domain.changes.circumstances import CircumstancesChange
from domain.changes.comparison import diff_change
from domain.changes.death import Death
from domain.changes.graduation import Graduation
from domain.changes.identity_correction import IdentityCorrection
from domain.changes.merge import apply_change
from domain.changes.merge_duplicates import DoubleEntry, MergeDuplicates
from domain.changes.move_in import MoveIn
from domain.changes.move_out import MoveOut
from domain.changes.new_household import NewHousehold
from domain.changes.numbers import PlacedNumber, by_purpose, numbers_of, placed_numbers
from domain.changes.objection import Objection, Objector, without_objector
from domain.changes.pbi_reactivation import PbiReactivation
from domain.changes.programme_proposal import ProgrammeProposal
from domain.changes.registry import (
    CHANGE_ADAPTER,
    Change,
    counterpart_of,
    identity_expectations,
    required_evidence,
    spec_of,
)
from domain.changes.results import Applied, Conflicted, FieldConflict, FieldDiff
from domain.changes.revision import FieldGroup, revised, touched
from domain.changes.self_withdrawal import SelfWithdrawal
from domain.changes.split_household import SplitHousehold, Staying
from domain.changes.submission import check_change

__all__ = [
    "CHANGE_ADAPTER",
    "AddMember",
    "Applied",
    "Change",
    "ChangeBase",
    "ChangeHead",
    "CircumstancesChange",
    "Conflicted",
    "Counterpart",
    "Death",
    "DoubleEntry",
    "FieldConflict",
    "FieldDiff",
    "FieldGroup",
    "Graduation",
    "IdentityCorrection",
    "IdentityExpectation",
    "KindSpec",
    "MemberRelation",
    "MergeDuplicates",
    "MoveIn",
    "MoveOut",
    "NewHousehold",
    "Objection",
    "Objector",
    "PbiReactivation",
    "PlacedNumber",
    "ProgrammeProposal",
    "SelfWithdrawal",
    "SplitHousehold",
    "Staying",
    "SubmissionContext",
    "TwoVersions",
    "apply_change",
    "by_purpose",
    "check_change",
    "counterpart_of",
    "diff_change",
    "identity_expectations",
    "numbers_of",
    "placed_numbers",
    "required_evidence",
    "revised",
    "spec_of",
    "touched",
    "without_objector",
]
