from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from devstack.partners.callbacks import LONGEST_PAUSE_SECONDS, MAX_ATTEMPTS, CallbackQueue, pause_seconds
from devstack.partners.proposals import ProposalBook, Submission, connect
from devstack.partners.rulings import Answer, RuleBook
from devstack.partners.serve import serving
from domain.vocabulary import Kind, ReasonCode
from runtime.connectors.ministry import MinistryClient, MinistryVerdict
from tests.partners.conftest import TOKEN, Admin, Inbox, ministry_partner, proposal

AT_ONCE = {"answer": {"answer": "accepted"}, "after_seconds": 0}
REJECTED = {"answer": "rejected", "reason": "already_receiving", "note": "Sudah menerima PKH."}


async def test_proposal_is_accepted_by_itself_and_the_answer_is_signed(
    gateway: MinistryClient,
    ministry_admin: Admin,
    inbox: Inbox,
) -> None:
    await ministry_admin("PUT", "/rules/default", AT_ONCE)
    receipt = await gateway.push(proposal(update_id="auto"), idempotency_key="auto")
    answer = await inbox.next_answer()
    assert (answer.update_id, answer.receipt_no) == ("auto", receipt.receipt_no)
    assert (answer.answer, answer.reason, answer.note) == (MinistryVerdict.ACCEPTED, None, "")


async def test_default_is_to_accept_after_a_second(
    gateway: MinistryClient,
    ministry_admin: Admin,
    inbox: Inbox,
) -> None:
    await ministry_admin("DELETE", "/rules")
    begun = asyncio.get_running_loop().time()
    await gateway.push(proposal(update_id="default"), idempotency_key="default")
    assert (await inbox.next_answer()).answer is MinistryVerdict.ACCEPTED
    assert asyncio.get_running_loop().time() - begun >= 1


async def test_held_proposal_waits_for_an_answer_by_hand_and_takes_only_one(
    gateway: MinistryClient,
    ministry_admin: Admin,
    inbox: Inbox,
) -> None:
    receipt = await gateway.push(proposal(update_id="by-hand"), idempotency_key="by-hand")
    path = f"/proposals/{receipt.receipt_no}/answer"
    await ministry_admin("POST", path, REJECTED)
    answer = await inbox.next_answer()
    assert (answer.answer, answer.reason) == (MinistryVerdict.REJECTED, ReasonCode.ALREADY_RECEIVING)
    with pytest.raises(AssertionError, match="already_answered"):
        await ministry_admin("POST", path, {"answer": "accepted"})


async def test_rule_for_an_update_goes_before_one_for_its_kind(
    gateway: MinistryClient,
    ministry_admin: Admin,
    inbox: Inbox,
) -> None:
    returned = {"answer": "returned", "reason": "incomplete_documents"}
    await ministry_admin("PUT", "/rules/kinds/move_out", {"answer": returned, "after_seconds": 0})
    await ministry_admin("PUT", "/rules/updates/chosen", {"answer": REJECTED, "after_seconds": 0})
    await gateway.push(proposal(update_id="chosen", kind=Kind.MOVE_OUT), idempotency_key="rule-1")
    assert (await inbox.next_answer()).answer is MinistryVerdict.REJECTED
    await gateway.push(proposal(update_id="other", kind=Kind.MOVE_OUT), idempotency_key="rule-2")
    assert (await inbox.next_answer()).answer is MinistryVerdict.RETURNED


async def test_refusal_without_a_reason_is_not_taken_as_a_rule(ministry_admin: Admin) -> None:
    with pytest.raises(AssertionError, match="invalid_input"):
        await ministry_admin("PUT", "/rules/default", {"answer": {"answer": "rejected"}})


async def test_callback_is_repeated_until_it_is_taken_under_one_id(
    gateway: MinistryClient,
    ministry_admin: Admin,
    inbox: Inbox,
) -> None:
    inbox.statuses += [503, 401]
    await ministry_admin("PUT", "/rules/default", AT_ONCE)
    receipt = await gateway.push(proposal(update_id="retried"), idempotency_key="retried")
    answers = [await inbox.next_answer() for _ in range(3)]
    assert answers[0] == answers[1] == answers[2]
    callback = await _settled(ministry_admin, receipt.receipt_no)
    assert (callback["state"], callback["attempts"], callback["last_result"]) == ("delivered", 3, "204")


async def test_duplicated_callback_arrives_twice_with_one_id(
    gateway: MinistryClient,
    ministry_admin: Admin,
    inbox: Inbox,
) -> None:
    await ministry_admin("PUT", "/faults", {"duplicate_callback_rate": 1})
    await ministry_admin("PUT", "/rules/default", AT_ONCE)
    await gateway.push(proposal(update_id="doubled"), idempotency_key="doubled")
    assert await inbox.next_answer() == await inbox.next_answer()


async def test_delivered_callback_can_be_sent_again_by_hand(
    gateway: MinistryClient,
    ministry_admin: Admin,
    inbox: Inbox,
) -> None:
    receipt = await gateway.push(proposal(update_id="again"), idempotency_key="again")
    path = f"/proposals/{receipt.receipt_no}"
    with pytest.raises(AssertionError, match="not_found"):
        await ministry_admin("POST", f"{path}/redelivery")
    await ministry_admin("POST", f"{path}/answer", REJECTED)
    first = await inbox.next_answer()
    await _settled(ministry_admin, receipt.receipt_no)
    await ministry_admin("POST", f"{path}/redelivery")
    assert await inbox.next_answer() == first


async def test_answer_that_no_one_took_is_delivered_after_a_restart(tmp_path: Path, inbox: Inbox) -> None:
    path = tmp_path / "ministry.sqlite"
    async with serving(ministry_partner(Inbox(url="http://127.0.0.1:9"), path=path)) as url:
        await Admin(url)("PUT", "/rules/default", AT_ONCE)
        client = MinistryClient(url, TOKEN)
        receipt = await client.push(proposal(update_id="restarted"), idempotency_key="restarted")
        await client.aclose()
        async with asyncio.timeout(5):
            while not (await Admin(url)("GET", f"/proposals/{receipt.receipt_no}"))["callback"]["attempts"]:
                pass
    async with serving(ministry_partner(inbox, path=path)):
        assert (await inbox.next_answer()).receipt_no == receipt.receipt_no


async def test_answer_due_while_the_partner_was_stopped_is_given_at_the_next_start(
    tmp_path: Path,
    inbox: Inbox,
) -> None:
    path = tmp_path / "ministry.sqlite"
    async with serving(ministry_partner(inbox, path=path)) as url:
        await Admin(url)("PUT", "/rules/default", {**AT_ONCE, "after_seconds": 0.6})
        client = MinistryClient(url, TOKEN)
        receipt = await client.push(proposal(update_id="asleep"), idempotency_key="asleep")
        await client.aclose()
    assert inbox.arrived.empty()
    async with serving(ministry_partner(inbox, path=path)):
        assert (await inbox.next_answer()).receipt_no == receipt.receipt_no


def test_pauses_between_attempts_double_up_to_a_bound() -> None:
    pauses = [pause_seconds(attempt) for attempt in range(1, MAX_ATTEMPTS)]
    assert pauses[:3] == [0.5, 1, 2]
    assert all(before <= after for before, after in pairwise(pauses))
    assert pauses[-1] == LONGEST_PAUSE_SECONDS


def test_callback_is_given_up_after_the_last_attempt_and_can_be_queued_anew() -> None:
    now = datetime(2025, 5, 2, tzinfo=UTC)
    connection = connect()
    book, queue = ProposalBook(connection, rules=RuleBook(connection)), CallbackQueue(connection)
    receipt_no = book.receive(Submission(**proposal().model_dump(mode="json")), key="key", now=now)
    book.answer(receipt_no, Answer(answer="accepted"), now=now)
    [first] = queue.due(now=now)
    for attempt in range(MAX_ATTEMPTS):
        at = now + attempt * timedelta(minutes=1)
        [callback] = queue.due(now=at)
        queue.record(callback, result="503", delivered=False, now=at)
    later = now + timedelta(days=1)
    assert (queue.due(now=later), queue.next_at()) == ([], None)
    assert book.get(receipt_no)["callback"]["state"] == "given_up"
    assert queue.again(receipt_no, now=later)
    assert queue.due(now=later) == [first]
    connection.close()


async def _settled(admin: Admin, receipt_no: str) -> dict[str, object]:
    async with asyncio.timeout(10):
        while True:
            callback = (await admin("GET", f"/proposals/{receipt_no}"))["callback"]
            if callback["state"] != "waiting":
                return callback
