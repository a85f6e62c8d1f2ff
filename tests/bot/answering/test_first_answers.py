"""What is said at once leaves nothing behind in memory."""

import asyncio

from engine.contract import engine_pb2 as pb


def waiting_views():
    return [task for task in asyncio.all_tasks() if "timeout_task" in getattr(task.get_coro(), "__qualname__", "")]


async def test_a_private_answer_with_buttons_keeps_no_task_for_them(club):
    mine = club.bot.member_key(club.student.id)
    club.double.entries = [pb.QueueReply.Entry(job_id="a" * 32, member_key=mine, kind="play", position=1)]
    queue = await club.student.slash(club.channel, "queue")
    assert queue.ephemeral
    assert waiting_views() == []
    cancelled = await club.student.click(queue.response, label="Cancel a clip (number 1)")
    assert cancelled.response is not None, "they work all the same"
    assert club.double.cancelled == [("a" * 32, mine)]
