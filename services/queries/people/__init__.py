"""Who is administered where: accounts with what they are, appointments, offices, leaves, and pairs of accounts."""

from services.queries.people.accounts import UserFacts, UserFilter, UserInFull, list_users, read_user
from services.queries.people.api_keys import ApiKeyFacts, ApiKeyFilter, list_api_keys, read_api_key
from services.queries.people.identities import IdentityFacts, list_identities, read_identity
from services.queries.people.leaves import (
    Colleague,
    DelegationFacts,
    list_colleagues,
    list_delegations,
    read_delegation,
)
from services.queries.people.matches import MatchFacts, list_matches, read_match
from services.queries.people.memberships import MembershipFacts, MembershipFilter, list_memberships, read_membership
from services.queries.people.offices import OfficeFacts, list_offices, read_office

__all__ = [
    "ApiKeyFacts",
    "ApiKeyFilter",
    "Colleague",
    "DelegationFacts",
    "IdentityFacts",
    "MatchFacts",
    "MembershipFacts",
    "MembershipFilter",
    "OfficeFacts",
    "UserFacts",
    "UserFilter",
    "UserInFull",
    "list_api_keys",
    "list_colleagues",
    "list_delegations",
    "list_identities",
    "list_matches",
    "list_memberships",
    "list_offices",
    "list_users",
    "read_api_key",
    "read_delegation",
    "read_identity",
    "read_match",
    "read_membership",
    "read_office",
    "read_user",
]
