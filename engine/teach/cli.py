"""`python -m engine ask` and `python -m engine quiz`."""

from __future__ import annotations

import argparse
import json
import sys
import textwrap

from engine.contract import engine_pb2 as pb
from engine.errors import BadOption
from engine.teach.library import MAX_SEED, Library
from engine.teach.reference.index import Reference, cache_folder

LETTERS = "ABCDE"


def add_ask_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("question", nargs="+", help="what you want to know, in your own words")


def run_ask(args: argparse.Namespace) -> int:
    """Prints what answers: the calculation, a card, or the documentation; or that nothing does. Exit code 0 always."""
    reference = Reference(cache_folder())
    reference.load()
    reply = Library(reference=reference).ask(" ".join(args.question))
    sys.stdout.write(answer_text(reply))
    return 0


def answer_text(reply: pb.AskReply) -> str:
    calculation = reply.calculation
    if calculation.answer:
        return "\n".join((calculation.answer, *(f"    {step}" for step in calculation.steps))) + "\n"
    if reply.known:
        return _card_text(reply)
    if reply.entries:
        return _entry_text(reply.entries[0])
    if calculation.problem:
        return calculation.problem + "\n"
    return _unknown_text(reply)


def _entry_text(entry: pb.AskReply.Entry) -> str:
    parts = [f"{entry.name}{entry.signature}", entry.text]
    if entry.example:
        parts.append(_indented(entry.example))
    if entry.output:
        parts += ["It prints:", _indented(entry.output)]
    return "\n\n".join((*parts, f"Documentation of {entry.version}: {entry.link}")) + "\n"


def _indented(text: str) -> str:
    return textwrap.indent(text, "    ")


def _card_text(reply: pb.AskReply) -> str:
    card, *others = reply.cards
    parts = [card.title, textwrap.fill(card.text, 100), _indented(card.code), "It prints:", _indented(card.output)]
    parts.append(f"Source: {card.source}")
    if others:
        parts.append("See also: " + "; ".join(other.title for other in others))
    return "\n\n".join(parts) + "\n"


def _unknown_text(reply: pb.AskReply) -> str:
    if not reply.cards:
        return "I don't know: no card of the course is about that.\n"
    return "I'm not sure. The nearest cards are: " + "; ".join(card.title for card in reply.cards) + ".\n"


def add_quiz_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--topic", default="", help="one of the course's topics; without it, any")
    parser.add_argument("--seed", type=int, help="asks the same question again")
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument("--json", action="store_true", help="print everything as one JSON object")
    shown.add_argument("--answer", action="store_true", help="print the answer and its explanation with the question")


def run_quiz(args: argparse.Namespace) -> int:
    """Asks one question. On a terminal it waits for a letter, then explains; else `--answer` reveals the answer.

    Raises `BadOption` for an unknown topic or a seed that is no unsigned 64 bit number."""
    request = pb.QuizRequest(topic=args.topic)
    if args.seed is not None:
        if not 0 <= args.seed <= MAX_SEED:
            raise BadOption(f"The seed must lie between 0 and {MAX_SEED}.")
        request.seed = args.seed
    reply = Library().quiz(request)
    if args.json:
        sys.stdout.write(json.dumps(_as_json(reply), ensure_ascii=False, indent=2) + "\n")
        return 0
    sys.stdout.write(_question_text(reply))
    if args.answer:
        sys.stdout.write(f"\n{_explanation_text(reply)}")
    elif sys.stdin.isatty():
        guess = input("Your answer: ").strip().upper()[:1]
        verdict = "Right." if guess == LETTERS[reply.correct] else "No."
        sys.stdout.write(f"\n{verdict} {_explanation_text(reply)}")
    else:
        topic = f" --topic {args.topic}" if args.topic else ""
        sys.stdout.write(f"\nFor the answer: python -m engine quiz{topic} --seed {reply.seed} --answer\n")
    return 0


def _as_json(reply: pb.QuizReply) -> dict[str, object]:
    return {
        "generator": reply.generator,
        "topic": reply.topic,
        "seed": reply.seed,
        "question": reply.question,
        "code": reply.code,
        "options": list(reply.options),
        "correct": reply.correct,
        "explanation": reply.explanation,
        "card_id": reply.card_id,
    }


def _question_text(reply: pb.QuizReply) -> str:
    options = "\n".join(f"  {LETTERS[i]}) {option}" for i, option in enumerate(reply.options))
    return f"[{reply.topic}] {reply.question}\n\n{_indented(reply.code)}\n\n{options}\n"


def _explanation_text(reply: pb.QuizReply) -> str:
    plain = reply.explanation.replace("**", "").replace("`", "")
    return f"{LETTERS[reply.correct]}) is right.\n\n{plain}\n\nCard to read: {reply.card_id}\n"
