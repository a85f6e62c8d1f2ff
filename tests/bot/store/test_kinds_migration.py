"""A database from before there were several kinds of questions keeps every question and answer."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from bot.rules.quiz import Kind, Score
from bot.store import open_store, quiz
from bot.store.lessons import class_quiz
from bot.store.migrations import MIGRATIONS, migrate, numbered

BEFORE = """
INSERT INTO members (id, discord_id, first_seen_at) VALUES (1, 11, 1.0), (2, 22, 1.0);
INSERT INTO questions (id, guild_id, channel_id, message_id, asked_by, asked_at, generator, seed, topic, question, code,
    options, correct, explanation, card_id) VALUES
    (1, 7, 8, 9, 1, 1.0, 'strides', 5, 'tensors', 'What?', '', '["a", "b"]', 1, 'so', ''),
    (2, 7, 8, NULL, 1, 2.0, 'own:3', 5, 'ours', 'Alone?', '', '["a", "b"]', 0, 'so', ''),
    (3, 7, 8, NULL, 1, 3.0, 'entropy', 5, 'losses', 'In class?', '', '["a", "b", "c"]', 2, 'so', '');
INSERT INTO answers VALUES (1, 1, 1, 4.0), (1, 2, 0, 5.0), (2, 1, 0, 6.0);
INSERT INTO class_quizzes VALUES (1, 7, 8, 1, '', 1, 30, 0, 0, 3.0, NULL, NULL, 0, 'revealed', 99.0, NULL);
INSERT INTO class_quiz_rounds VALUES (1, 0, 3, '["x", "doubles it", ""]', 10, 0);
INSERT INTO class_quiz_answers VALUES (1, 0, 1, 1, 2, 3.0, '', 7.0), (1, 0, 1, 2, 1, 3.0, '', 8.0);
"""


async def test_questions_and_answers_of_before_are_judged_as_they_were(tmp_path: Path) -> None:
    older, path = tmp_path / "older", tmp_path / "woodshed.sqlite3"
    older.mkdir()
    for _, file in numbered(MIGRATIONS):
        if "kinds_of_questions" in file.name:
            break
        shutil.copy(file, older)
    migrate(path, older)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(BEFORE)

    async with open_store(path) as store:
        posted = await quiz.get_question(store, 1)
        assert posted is not None
        assert (posted.question.kind, posted.question.accepted, posted.question.is_fixed) == (Kind.ONE, ("1",), False)
        own = await quiz.get_question(store, 2)
        assert own is not None
        assert own.question.is_fixed
        assert await quiz.class_total(store, 7) == Score(3, 2)
        assert await quiz.asked_before(store, 7, 22) == ["strides", "entropy"], "what was practised stays private"
        (at,) = await class_quiz.rounds(store, 1)
        assert at.posted.question.reasons == ("x", "doubles it", "")
        replies, names = await class_quiz.replies(store, 7, 0.0)
        assert [(reply.right, reply.reasons) for reply in replies] == [(True, ()), (False, ("doubles it",))]
        assert names == {1: 11, 2: 22}
        again = await quiz.record_answer(store, posted, 22, "1", 9.0)
        assert (again.given, again.right, again.first) == ("0", False, False)
