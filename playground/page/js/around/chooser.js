// The first question: whom this tab plays.

import { el, fill } from "../core/dom.js";
import { avatar } from "../chat/people.js";

const PEOPLE = [
  { slug: "ada", name: "Ada", role: "Student", colour: "#5865f2" },
  { slug: "ben", name: "Ben", role: "Student", colour: "#3ba55c" },
  { slug: "thelonia", name: "Thelonia", role: "Course staff", colour: "#eb459e" },
];

export function chooseMember(app) {
  fill(
    app,
    el(
      "main",
      { class: "chooser" },
      el("img", { src: "page/files/icon.svg", alt: "", width: 72, height: 72 }),
      el("h1", {}, "Woodshed's playground"),
      el("p", { class: "muted" }, "A small Discord on your machine. Who are you in this tab? You can play the others in more tabs."),
      el("div", { class: "chooser-members" }, PEOPLE.map(person)),
    ),
  );
}

function person({ slug, name, role, colour }) {
  return el(
    "a",
    { class: "chooser-member", href: `?member=${slug}${location.hash}` },
    avatar({ name, colour }, "avatar large"),
    el("strong", {}, name),
    el("span", { class: "muted" }, role),
  );
}
