"""What is played: every scenario with the end that it has to come to."""

from __future__ import annotations

from typing import Final

from devstack.demo import smooth, troubled
from devstack.demo.scene import Scenario
from domain.vocabulary import Kind, Status

PROGRAMME: Final = (
    Scenario(title="a new household", kind=Kind.NEW_HOUSEHOLD, play=smooth.new_household),
    Scenario(title="a house gone plainer", kind=Kind.CIRCUMSTANCES, play=smooth.circumstances),
    Scenario(title="one musdes, three cases", kind=Kind.CIRCUMSTANCES, play=smooth.musdes),
    Scenario(title="a name changed by court", kind=Kind.IDENTITY_CORRECTION, play=smooth.identity_correction),
    Scenario(title="a death", kind=Kind.DEATH, play=smooth.death),
    Scenario(title="a newborn without a NIK", kind=Kind.ADD_MEMBER, play=smooth.newborn),
    Scenario(title="a move to the city", kind=Kind.MOVE_OUT, play=smooth.move_out),
    Scenario(title="a household that splits", kind=Kind.SPLIT_HOUSEHOLD, play=smooth.split),
    Scenario(title="a family from the city", kind=Kind.MOVE_IN, play=smooth.move_in),
    Scenario(title="a graduation from PKH", kind=Kind.GRADUATION, play=smooth.graduation),
    Scenario(title="a household that gives Sembako up", kind=Kind.SELF_WITHDRAWAL, play=smooth.self_withdrawal),
    Scenario(title="insurance that is needed again", kind=Kind.PBI_REACTIVATION, play=smooth.pbi_reactivation),
    Scenario(title="a new head", kind=Kind.CHANGE_HEAD, play=smooth.new_head),
    Scenario(title="a proposal for PKH and Sembako", kind=Kind.PROGRAMME_PROPOSAL, play=smooth.programme),
    Scenario(title="a household written down twice", kind=Kind.MERGE_DUPLICATES, play=smooth.double_entry),
    Scenario(title="a neighbour objects", kind=Kind.OBJECTION, play=smooth.objection),
    Scenario(
        title="a death of somebody alive",
        kind=Kind.DEATH,
        play=troubled.death_of_the_living,
        ends=Status.WITHDRAWN,
    ),
    Scenario(title="a misspelt name, repaired", kind=Kind.ADD_MEMBER, play=troubled.misspelt),
    Scenario(
        title="a household of means",
        kind=Kind.NEW_HOUSEHOLD,
        play=troubled.rejected,
        ends=Status.REJECTED,
    ),
    Scenario(title="a house that is looked at", kind=Kind.CIRCUMSTANCES, play=troubled.looked_at),
    Scenario(title="an appeal that is granted", kind=Kind.NEW_HOUSEHOLD, play=troubled.appealed),
    Scenario(
        title="a change of mind",
        kind=Kind.CIRCUMSTANCES,
        play=troubled.withdrawn,
        ends=Status.WITHDRAWN,
    ),
    Scenario(title="a case that lapses, reopened", kind=Kind.CIRCUMSTANCES, play=troubled.lapsed),
    Scenario(
        title="an office of one person",
        kind=Kind.MOVE_OUT,
        play=troubled.one_person_office,
        escalates=True,
    ),
    Scenario(title="a case nobody touches", kind=Kind.CIRCUMSTANCES, play=troubled.silence, escalates=True),
    Scenario(title="the civil registry is down", kind=Kind.IDENTITY_CORRECTION, play=troubled.registry_down),
    Scenario(title="the Ministry returns it", kind=Kind.CIRCUMSTANCES, play=troubled.ministry_returns),
)
