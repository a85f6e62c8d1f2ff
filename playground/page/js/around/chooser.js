// The first question: whom this tab plays.

import { api } from "../core/api.js";
import { el, fill } from "../core/dom.js";
import { avatar } from "../chat/people.js";
import { roleOf } from "./account.js";

export async function chooseMember(app) {
  const { guild, bot, people } = await api.people();
  document.title = `${bot}'s playground`;
  fill(
    app,
    el(
      "main",
      { class: "chooser" },
      el("img", { src: "page/files/icon.svg", alt: "", width: 72, height: 72 }),
      el("h1", {}, `${bot}'s playground`),
      el("p", {}, `Try ${bot} before you invite it: this is a small Discord on your own machine, with one server, “${guild}”.`),
      el("h2", {}, "Who are you in this tab?"),
      el("div", { class: "chooser-members" }, people.map(person)),
      el("p", { class: "muted" }, advice(people)),
    ),
  );
}

/** Whom to take first, and what the others are for. */
function advice(people) {
  const first = people.find((member) => !member.is_staff) ?? people[0];
  const staff = people.find((member) => member.is_staff && member !== first);
  const more = staff ? ` As ${staff.name} you can also do what only staff may, and bring in a simulated class.` : "";
  return `Take ${first.name} for a start.${more} You can be several of them at once, each in a tab of its own.`;
}

function person(member) {
  return el(
    "a",
    { class: "chooser-member", href: `?member=${member.slug}${location.hash}` },
    avatar(member, "avatar large"),
    el("strong", {}, member.name),
    el("span", { class: "muted" }, roleOf(member)),
  );
}
