"""What lessons keep of a member: for their export, and for forgetting them."""

from __future__ import annotations

from bot.store.connection import Transaction

EXPORTS = {
    "class_quiz_answers": (
        "SELECT quiz, position, vote, given, is_right, seconds, team, answered_at FROM class_quiz_answers"
        " JOIN members ON members.id = member WHERE discord_id = ? ORDER BY answered_at"
    ),
    "class_quiz_guesses": (
        "SELECT quiz, position, choice, guessed_at FROM class_quiz_guesses"
        " JOIN members ON members.id = member WHERE discord_id = ? ORDER BY guessed_at"
    ),
    "class_quizzes_hosted": (
        "SELECT class_quizzes.id AS quiz, guild_id, channel_id, topic, rounds, started_at, ended_at FROM class_quizzes"
        " JOIN members ON members.id = hosted_by WHERE discord_id = ? ORDER BY started_at"
    ),
    "practice": (
        "SELECT generator, topic, memory, due_at FROM practice JOIN members ON members.id = member"
        " WHERE discord_id = ? ORDER BY due_at"
    ),
    "objections": (
        "SELECT generator, seed, reason, raised_at FROM objections JOIN questions ON questions.id = objections.question"
        " JOIN members ON members.id = objections.member WHERE discord_id = ? ORDER BY raised_at"
    ),
    "questions_written": (
        "SELECT guild_id, topic, question, code, options, explanation, added_at FROM own_questions"
        " JOIN members ON members.id = added_by WHERE discord_id = ? ORDER BY added_at"
    ),
    "daily_questions_set": (
        "SELECT guild_id, channel_id, local_time, zone, topic FROM daily_questions"
        " JOIN members ON members.id = set_by WHERE discord_id = ?"
    ),
    "questions_unanswered": (
        "SELECT guild_id, channel_id, question, asked_at FROM unanswered JOIN members ON members.id = asked_by"
        " WHERE discord_id = ? ORDER BY asked_at"
    ),
    "notes_added": (
        "SELECT guild_id, file, added_at FROM notes JOIN members ON members.id = added_by"
        " WHERE discord_id = ? ORDER BY added_at"
    ),
}
"""By the name of the part of the export; each query takes a Discord id."""


async def forget(transaction: Transaction, member: int) -> None:
    """What is a member's own goes: what they remember, the questions they left, and the objections they wrote. Their
    answers in class stay as those of somebody unknown, so that the class's figures stay right, but without their team
    and what they typed."""
    await transaction.execute("DELETE FROM practice WHERE member = ?", (member,))
    await transaction.execute("DELETE FROM unanswered WHERE asked_by = ?", (member,))
    await transaction.execute("DELETE FROM objections WHERE member = ?", (member,))
    await transaction.execute("UPDATE class_quiz_answers SET team = '' WHERE member = ?", (member,))
    typed = "(SELECT id FROM questions WHERE kind = 'typed')"
    await transaction.execute(f"UPDATE answers SET given = '' WHERE member = ? AND question IN {typed}", (member,))
    await transaction.execute(
        "UPDATE class_quiz_answers SET given = '' WHERE member = ? AND (quiz, position) IN"
        f" (SELECT quiz, position FROM class_quiz_rounds WHERE question IN {typed})",
        (member,),
    )
