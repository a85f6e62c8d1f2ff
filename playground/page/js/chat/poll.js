// A native poll: choose, vote, see how it stands, take it back.

import { api } from "../core/api.js";
import { el, fill } from "../core/dom.js";
import { toast } from "../core/popups.js";
import { state } from "../core/state.js";
import { relative } from "./markdown.js";
import { sentence } from "./message_menu.js";

/** The poll of a message; null where there is none. */
export function pollOf(message) {
  if (!message.poll) return null;
  const node = el("section", { class: "poll", "aria-label": "Poll" });
  const mine = chosenBy(message, state.me.id);
  const isOver = message.poll.results.is_finalized;
  if (isOver || mine.length) drawResults(node, message, mine, isOver);
  else drawBallot(node, message);
  return node;
}

/** The numbers of the answers that a member chose. */
function chosenBy(message, memberId) {
  return Object.entries(message.poll_votes ?? {}).filter(([, voters]) => voters.includes(memberId)).map(([id]) => Number(id));
}

function head(poll) {
  return el("h3", { class: "poll-question" }, poll.question.text);
}

function drawBallot(node, message) {
  const { poll } = message;
  const type = poll.allow_multiselect ? "checkbox" : "radio";
  const boxes = poll.answers.map((answer) => el("input", { type, name: `poll-${message.id}`, value: String(answer.answer_id) }));
  const submit = el("button", { class: "button primary", type: "button", disabled: true }, "Vote");
  const chosen = () => boxes.filter((box) => box.checked).map((box) => Number(box.value));
  for (const box of boxes) box.addEventListener("change", () => (submit.disabled = !chosen().length));
  submit.addEventListener("click", () => vote(message, chosen()));
  fill(
    node,
    head(poll),
    el("small", { class: "muted" }, poll.allow_multiselect ? "Choose one or more answers" : "Choose one answer"),
    poll.answers.map((answer, number) => el("label", { class: "poll-answer" }, boxes[number], el("span", {}, textOf(answer)))),
    el("footer", {}, ends(message, false), el("button", { class: "link", type: "button", on: { click: () => drawResults(node, message, [], false) } }, "Show results"), submit),
  );
}

function drawResults(node, message, mine, isOver) {
  const { poll } = message;
  const counts = new Map(poll.results.answer_counts.map((entry) => [entry.id, entry.count]));
  const all = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const back = mine.length
    ? el("button", { class: "link", type: "button", on: { click: () => vote(message, []) } }, "Remove vote")
    : el("button", { class: "link", type: "button", on: { click: () => drawBallot(node, message) } }, "Back to vote");
  fill(
    node,
    head(poll),
    poll.answers.map((answer) => result(answer, counts.get(answer.answer_id) ?? 0, all, mine.includes(answer.answer_id))),
    el("footer", {}, ends(message, isOver), isOver ? null : back),
  );
}

function result(answer, count, all, isMine) {
  const share = all ? Math.round((100 * count) / all) : 0;
  const votes = count === 1 ? "1 vote" : `${count} votes`;
  return el(
    "div",
    { class: isMine ? "poll-answer result mine" : "poll-answer result", style: { "--share": `${share}%` } },
    el("span", {}, textOf(answer), isMine ? " ✓" : null),
    el("span", { class: "poll-count" }, `${votes} · ${share} %`),
  );
}

function textOf(answer) {
  return [answer.poll_media.emoji?.name, answer.poll_media.text].filter(Boolean).join(" ");
}

function ends(message, isOver) {
  const { poll } = message;
  const voters = new Set(Object.values(message.poll_votes ?? {}).flat()).size;
  const people = voters === 1 ? "1 voter" : `${voters} voters`;
  const end = new Date(poll.expiry);
  const when = isOver ? "The poll is closed" : ["Closes ", el("time", { data: { until: String(end / 1000) } }, relative(end - Date.now()))];
  return el("span", { class: "muted" }, people, " · ", when);
}

async function vote(message, answers) {
  try {
    await api.vote(message, answers);
  } catch (error) {
    toast(sentence(error));
  }
}
