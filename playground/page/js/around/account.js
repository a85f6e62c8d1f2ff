// Who I am, at the bottom left: the other members in other tabs, and the language.

import { el, icon } from "../core/dom.js";
import { showAt } from "../core/popups.js";
import { state } from "../core/state.js";
import { avatar } from "../chat/people.js";

const LANGUAGES = { "en-US": "English", "zh-CN": "中文", de: "Deutsch", fr: "Français", ja: "日本語" };

export function account() {
  const me = state.me;
  return el(
    "div",
    { class: "account" },
    avatar(me),
    el("div", { class: "account-name" }, el("strong", {}, me.name), el("span", { class: "muted" }, roleOf(me))),
    el("button", { class: "tool", type: "button", title: "Members and language", "aria-label": "Members and language", on: { click: openAccount } }, icon("gear")),
  );
}

export function roleOf(member) {
  return member.is_staff ? "Course staff" : "Student";
}

function openAccount(event) {
  const others = [...state.members.values()].filter((member) => member.playable && member.id !== state.me.id);
  const box = el(
    "div",
    { class: "menu wide" },
    el("div", { class: "menu-heading" }, "Open another member in a new tab"),
    others.map((member) =>
      el("a", { class: "menu-item", href: `?member=${member.slug}${location.hash}`, target: "_blank" }, el("span", {}, member.name), el("span", { class: "muted" }, roleOf(member))),
    ),
    el("hr"),
    el("label", { class: "menu-field" }, "Language of commands", languageChoice()),
  );
  const place = event.currentTarget.getBoundingClientRect();
  showAt(box, place.left - 200, place.top - 240);
}

function languageChoice() {
  const choose = () => {
    localStorage.setItem("locale", node.value);
    location.reload();
  };
  const node = el(
    "select",
    { class: "text-input", "aria-label": "Language", on: { change: choose } },
    Object.entries(LANGUAGES).map(([code, name]) => el("option", { value: code, selected: code === state.locale }, name)),
  );
  return node;
}
