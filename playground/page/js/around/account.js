// Who I am, at the bottom left: the other members in other tabs, light or dark, and the language.

import { el, fill, icon } from "../core/dom.js";
import { showAt } from "../core/popups.js";
import { state } from "../core/state.js";
import { THEMES, currentTheme, setTheme } from "../core/theme.js";
import { avatar } from "../chat/people.js";

const LANGUAGES = { "en-US": "English", "zh-CN": "中文", de: "Deutsch", fr: "Français", ja: "日本語" };

export function account() {
  const me = state.me;
  const title = "Members, colours and language";
  return el(
    "div",
    { class: "account" },
    avatar(me),
    el("div", { class: "account-name" }, el("strong", {}, me.name), el("span", { class: "muted" }, roleOf(me))),
    el("button", { class: "tool", type: "button", title, "aria-label": title, on: { click: openAccount } }, icon("gear")),
  );
}

export function roleOf(member) {
  return member.is_staff ? "Course staff" : "Student";
}

/** The members that another tab can play, as links. */
export function otherMembers() {
  return [...state.members.values()].filter((member) => member.playable && member.id !== state.me.id);
}

export function memberAddress(member) {
  return `?member=${member.slug}${location.hash}`;
}

function openAccount(event) {
  const hint = el("small", { class: "muted", role: "status" });
  const box = el(
    "div",
    { class: "menu wide" },
    el("div", { class: "menu-heading" }, "Open another member in a new tab"),
    otherMembers().map((member) =>
      el("a", { class: "menu-item", href: memberAddress(member), target: "_blank" }, el("span", {}, member.name), el("span", { class: "muted" }, roleOf(member))),
    ),
    el("hr"),
    el("label", { class: "menu-field row" }, "Colours", choice("Colours", THEMES, currentTheme(), setTheme)),
    el("label", { class: "menu-field row" }, "Language", choice("Language", LANGUAGES, state.locale, (code) => speak(code, hint))),
    hint,
  );
  explain(hint);
  const place = event.currentTarget.getBoundingClientRect();
  showAt(box, place.left - 200, place.top - 320);
  box.querySelector("a, select")?.focus();
}

function choice(label, names, current, choose) {
  const node = el(
    "select",
    { class: "text-input", "aria-label": label, on: { change: () => choose(node.value) } },
    Object.entries(names).map(([value, name]) => el("option", { value, selected: value === current }, name)),
  );
  return node;
}

/** From now on this member speaks `code`: the bot hears it with every command, and shows what it has in it. */
function speak(code, hint) {
  localStorage.setItem("locale", code);
  state.locale = code;
  explain(hint);
  dispatchEvent(new Event("languagechange"));
}

function explain(hint) {
  const isTranslated = state.locale.startsWith("en") || allCommands().some((command) => isIn(command, state.locale));
  fill(hint, isTranslated ? "" : `${state.bot.name}'s commands aren't translated into ${LANGUAGES[state.locale]}. It still hears which language you speak.`);
}

function allCommands() {
  return [...state.channels.values()].flatMap((channel) => channel.commands ?? []);
}

function isIn(command, locale) {
  return Boolean(command.description_localizations?.[locale] ?? command.name_localizations?.[locale]);
}
