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
      el("p", { class: "muted" }, `A small Discord on your machine, with one server: ${guild}. Who are you in this tab? Take ${people[0].name} for a start; you can play the others in more tabs.`),
      el("div", { class: "chooser-members" }, people.map(person)),
    ),
  );
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
