// What stands around the messages: channels, members, who I am, and the instructor's switches.

import { api } from "../core/api.js";
import { el, fill, icon } from "../core/dom.js";
import { avatar, nameOf, sentence, userMenu } from "../chat/message.js";
import { showAt, toast } from "../core/popups.js";
import { currentChannel, state } from "../core/state.js";

const LANGUAGES = { "en-US": "English", "zh-CN": "中文", de: "Deutsch", fr: "Français", ja: "日本語" };

/** The channels on the left, with the member at the bottom. */
export function drawChannels(node) {
  const channels = [...state.channels.values()];
  const texts = channels.filter((channel) => channel.type === 0).sort((a, b) => a.position - b.position);
  const direct = channels.filter((channel) => channel.type === 1);
  fill(
    node,
    el("header", { class: "guild-name" }, state.guild.name),
    el(
      "nav",
      { class: "channels", "aria-label": "Channels" },
      el("div", { class: "channels-heading" }, "Text channels"),
      texts.map((channel) => channelLink(channel, icon("hash"), channel.name)),
      direct.length ? el("div", { class: "channels-heading" }, "Direct messages") : null,
      direct.map((channel) => channelLink(channel, icon("at"), "Woodshed")),
    ),
    account(),
  );
}

function channelLink(channel, symbol, name) {
  const classes = ["channel", channel.id === state.channelId ? "current" : "", state.unread.has(channel.id) ? "unread" : ""];
  return el("a", { class: classes.join(" ").trim(), href: `#${channel.name || "woodshed"}` }, symbol, el("span", {}, name));
}

function account() {
  const me = state.me;
  return el(
    "div",
    { class: "account" },
    avatar(me),
    el("div", { class: "account-name" }, el("strong", {}, me.name), el("span", { class: "muted" }, me.is_staff ? "Course staff" : "Student")),
    el("button", { class: "tool", type: "button", title: "Members and language", "aria-label": "Members and language", on: { click: openAccount } }, icon("gear")),
  );
}

function openAccount(event) {
  const others = [...state.members.values()].filter((member) => member.playable && member.id !== state.me.id);
  const language = el(
    "select",
    { class: "text-input", "aria-label": "Language", on: { change: () => { localStorage.setItem("locale", language.value); location.reload(); } } },
    Object.entries(LANGUAGES).map(([code, name]) => el("option", { value: code, selected: code === state.locale }, name)),
  );
  const box = el(
    "div",
    { class: "menu wide" },
    el("div", { class: "menu-heading" }, "Open another member in a new tab"),
    others.map((member) =>
      el("a", { class: "menu-item", href: `/?member=${member.slug}${location.hash}`, target: "_blank" }, el("span", {}, member.name), el("span", { class: "muted" }, member.is_staff ? "Course staff" : "Student")),
    ),
    el("hr"),
    el("label", { class: "menu-field" }, "Language of commands", language),
  );
  const place = event.currentTarget.getBoundingClientRect();
  showAt(box, place.left - 200, place.top - 240);
}

/** The members on the right, by role, with who is there. */
export function drawMembers(node) {
  const roles = [...state.roles.values()].filter((role) => role.hoist).sort((a, b) => b.position - a.position);
  const members = [...state.members.values()].filter((member) => member.playable || member.is_bot);
  const groups = roles.map((role) => [role.name, members.filter((member) => member.roles.includes(role.id))]);
  groups.push([state.bot.online ? "Online" : "Offline", members.filter((member) => member.is_bot)]);
  fill(
    node,
    groups
      .filter(([, list]) => list.length)
      .map(([name, list]) => [el("div", { class: "channels-heading" }, `${name} — ${list.length}`), list.map(memberRow)]),
  );
}

function memberRow(member) {
  const isOnline = !member.is_bot || state.bot.online;
  const open = (event) => {
    event.preventDefault();
    userMenu(member, event.clientX, event.clientY);
  };
  return el(
    "button",
    { class: isOnline ? "member" : "member offline", type: "button", on: { click: open, contextmenu: open } },
    el("span", { class: "presence" }, avatar(member), el("i", { class: isOnline ? "dot online" : "dot" })),
    el(
      "span",
      { class: "member-text" },
      el("span", {}, nameOf(member), member.is_bot ? el("span", { class: "tag" }, "APP") : null),
      member.is_bot && state.bot.activity ? el("small", { class: "muted" }, state.bot.activity) : null,
    ),
  );
}

/** The line over the messages. */
export function drawHeader(node) {
  const channel = currentChannel();
  fill(
    node,
    icon(channel.type === 1 ? "at" : "hash"),
    el("h1", {}, channel.type === 1 ? "Woodshed" : channel.name),
    channel.topic ? el("span", { class: "topic" }, channel.topic) : null,
    channel.type === 0 && !channel.bot_may_attach ? el("span", { class: "warning" }, "Woodshed may not attach files here") : null,
    state.me.is_staff
      ? el("button", { class: "tool", type: "button", title: "Server switches", "aria-label": "Server switches", on: { click: openSwitches } }, icon("gear"))
      : null,
  );
}

function openSwitches(event) {
  const channel = currentChannel();
  const size = el("input", { class: "text-input small", type: "number", min: 0.01, max: 25, step: "any", value: String(state.switches.attachment_size_limit / 1048576), "aria-label": "Upload limit in MiB" });
  const run = (promise) => promise.catch((error) => toast(sentence(error)));
  size.addEventListener("change", () => {
    const bytes = Math.round(Number(size.value) * 1048576);
    state.switches.attachment_size_limit = bytes;
    run(api.switches({ attachment_size_limit: bytes }));
  });
  const box = el(
    "div",
    { class: "menu wide" },
    el("div", { class: "menu-heading" }, "What Discord might do to a bot"),
    channel.type === 0
      ? toggle(`Woodshed may attach files in #${channel.name}`, channel.bot_may_attach, (isOn) => run(api.botPermissions(channel.id, { attach_files: isOn })))
      : null,
    toggle("Rate limits", state.switches.rate_limits, (isOn) => {
      state.switches.rate_limits = isOn;
      run(api.switches({ rate_limits: isOn }));
    }),
    el("label", { class: "menu-field row" }, "Upload limit in MiB", size),
    el("button", { class: "menu-item", type: "button", on: { click: () => run(api.dropGateway()) } }, "Cut the bot's connection"),
  );
  const place = event.currentTarget.getBoundingClientRect();
  showAt(box, place.right - 320, place.bottom + 8);
}

function toggle(label, isOn, change) {
  const box = el("input", { type: "checkbox", role: "switch", checked: isOn });
  box.addEventListener("change", () => change(box.checked));
  return el("label", { class: "menu-field row" }, label, box);
}
