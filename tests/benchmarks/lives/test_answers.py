"""Answers on their way over the wire, from a real bot that is killed in between: exactly one result, or one true
sentence. `make bench` runs some hundreds of these sequences, the tests a few of each kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.lives.answers import Kind, Mishap, OneSequence, What, run_sequences
from benchmarks.lives.host import Host, open_host
from playground.driver import Route


async def broken_of(host: Host, kind: Kind, *mishaps: Mishap) -> list[str]:
    return (await OneSequence(host, kind, mishaps).run()).broken


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_happens_there_is_one_result_or_one_true_sentence(tmp_path: Path, seed: int) -> None:
    async with open_host(tmp_path) as host:
        for kind, mishaps, ended in await run_sequences(host, 10, seed):
            assert ended.broken == [], f"{kind} {mishaps}\n{host.log.read_text()[-4000:]}"


@pytest.mark.parametrize("what", [What.ERROR, What.BLOCKED, What.LIMITED, What.CUT])
async def test_trouble_at_the_first_answer_is_nothing_a_member_notices(tmp_path: Path, what: What) -> None:
    async with open_host(tmp_path) as host:
        for accepted in (False, True):
            sequence = OneSequence(host, Kind.PRIVATE, [Mishap(what, Route.CALLBACK, 0, accepted)])
            ended = await sequence.run()
            assert (ended.broken, ended.verdict) == ([], "result")


async def test_a_vote_is_asked_once_by_a_bot_that_is_killed_before_it_has_said_so(tmp_path: Path) -> None:
    """Its next start does the command again, and finds what is written down already."""
    async with open_host(tmp_path) as host:
        for route in (Route.SEND, Route.EDIT_ANSWER):
            assert await broken_of(host, Kind.VOTE, Mishap(What.KILLED, route, 0, accepted=True)) == []
        assert host.lives == 3
        assert len(host.rows("SELECT 1 FROM series")) == 2


async def test_a_sequence_that_loses_an_answer_is_found_out(tmp_path: Path) -> None:
    """The harness would see it: an answer taken away behind its back is reported."""
    async with open_host(tmp_path) as host:
        sequence = OneSequence(host, Kind.PICTURE, [])
        await sequence.run()
        (message,) = host.messages(sequence._after)
        await host.driver.delete_message({"channel_id": message.channel_id, "id": message.id})
        assert sequence._broken("answered", settled=True) == [
            "neither a result nor a sentence",
            "a result was lost, though nothing final happened",
        ]
