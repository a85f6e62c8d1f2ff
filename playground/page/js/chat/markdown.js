// Discord's flavour of Markdown, as DOM nodes.
// https://support.discord.com/hc/en-us/articles/210298617-Markdown-Text-101

import { el, safeUrl } from "../core/dom.js";
import { highlighted } from "./highlight.js";
import { markOf } from "./people.js";
import { memberOf, shortName, state } from "../core/state.js";

/** Renders a text with blocks: code, quotes, headings, lists, small print. */
export function markdown(text, { now = Date.now() } = {}) {
  const root = el("div", { class: "markdown" });
  const fence = /```(?:([\w+-]+)\n)?\n?([\s\S]*?)\n?```/g;
  let last = 0;
  for (const match of text.matchAll(fence)) {
    lines(root, text.slice(last, match.index).replace(/\n$/, ""), now);
    root.append(el("pre", {}, el("code", {}, highlighted(match[2], match[1] ?? ""))));
    last = match.index + match[0].length;
  }
  lines(root, text.slice(last).replace(last ? /^\n/ : /^$/, ""), now);
  return root;
}

function lines(root, text, now) {
  if (!text) return;
  let list = null;
  let quote = null;
  let paragraph = null;
  for (const line of text.split("\n")) {
    const heading = /^(#{1,3}) +(.+)$/.exec(line);
    const small = /^-# +(.+)$/.exec(line);
    const item = /^( *)(?:[-*]|(\d+)\.) +(.+)$/.exec(line);
    const quoted = /^> (.*)$/.exec(line);
    if (!item) list = null;
    if (!quoted) quote = null;
    if (heading || small || item || quoted) paragraph = null;
    if (heading) root.append(el(`h${heading[1].length}`, {}, inline(heading[2], now)));
    else if (small) root.append(el("small", { class: "subtext" }, inline(small[1], now)));
    else if (item) {
      const tag = item[2] ? "ol" : "ul";
      if (!list || list.tagName.toLowerCase() !== tag) {
        list = el(tag, item[2] ? { start: Number(item[2]) } : {});
        root.append(list);
      }
      list.append(el("li", item[1].length >= 2 ? { class: "nested" } : {}, inline(item[3], now)));
    } else if (quoted) {
      if (!quote) root.append((quote = el("blockquote")));
      else quote.append("\n");
      quote.append(...inline(quoted[1], now));
    } else if (paragraph) paragraph.append("\n", ...inline(line, now));
    else root.append((paragraph = el("p", {}, inline(line, now))));
  }
}

// Tried in this order at each place of the text; the first that matches there wins.
const RULES = [
  [/^\\([\\*_~|`>#<[\]()-])/, (m) => m[1]],
  [/^(`+)([\s\S]*?[^`])\1(?!`)/, (m) => el("code", {}, m[2].trim() || m[2])],
  [/^\[([^\]\n]+)\]\((https?:\/\/[^\s)]+)(?: "[^"]*")?\)/, (m, now) => link(m[2], inline(m[1], now))],
  [/^<(https?:\/\/[^\s>]+)>/, (m) => link(m[1], m[1])],
  [/^https?:\/\/[^\s<]*[^\s<.,:;"')\]*_~]/, (m) => link(m[0], m[0])],
  [/^<@!?(\d+)>/, (m) => memberMention(memberOf(m[1]))],
  [/^<@&(\d+)>/, (m) => mention("@", state.roles.get(m[1])?.name ?? "unknown role", false)],
  [/^<#(\d+)>/, (m) => channelMention(m[1])],
  [/^<\/([^:>]+):(\d+)>/, (m) => commandMention(m[1])],
  [/^<t:(-?\d+)(?::([tTdDfFR]))?>/, (m, now) => timestamp(Number(m[1]), m[2] ?? "f", now)],
  [/^<a?:(\w+):\d+>/, (m) => `:${m[1]}:`],
  [/^\*\*\*([\s\S]+?)\*\*\*/, (m, now) => el("strong", {}, el("em", {}, inline(m[1], now)))],
  [/^\*\*([\s\S]+?)\*\*(?!\*)/, (m, now) => el("strong", {}, inline(m[1], now))],
  [/^__([\s\S]+?)__(?!_)/, (m, now) => el("u", {}, inline(m[1], now))],
  [/^~~([\s\S]+?)~~/, (m, now) => el("s", {}, inline(m[1], now))],
  [/^\|\|([\s\S]+?)\|\|/, (m, now) => spoiler(inline(m[1], now))],
  [/^\*(?=\S)([\s\S]*?\S)\*(?!\*)/, (m, now) => el("em", {}, inline(m[1], now))],
  [/^_(?=\S)([\s\S]*?\S)_(?![_\w])/, (m, now) => el("em", {}, inline(m[1], now))],
];

/** Renders a text without blocks (names of fields, labels) to a list of nodes and strings. */
export function inline(text, now = Date.now()) {
  const nodes = [];
  let plain = "";
  let rest = text;
  let before = "";
  while (rest) {
    let found = null;
    // A rule starts with one of these; an underscore inside a word is no italics.
    if (/^[\\`[<h*_~|]/.test(rest) && !(rest[0] === "_" && /\w/.test(before))) {
      for (const [pattern, render] of RULES) {
        const match = pattern.exec(rest);
        if (match) {
          found = [match, render];
          break;
        }
      }
    }
    if (!found) {
      before = rest[0];
      plain += rest[0];
      rest = rest.slice(1);
      continue;
    }
    if (plain) nodes.push(plain);
    plain = "";
    before = "";
    nodes.push(found[1](found[0], now));
    rest = rest.slice(found[0][0].length);
  }
  if (plain) nodes.push(plain);
  return nodes;
}

const MESSAGE_LINK = /^https?:\/\/(?:\w+\.)?discord\.com\/channels\/\d+\/(\d+)\/(\d+)$/;

/** A link; one to a message leads there, in this page. */
function link(url, children) {
  const target = MESSAGE_LINK.exec(url);
  if (target) {
    const channel = state.channels.get(target[1]);
    const text = children === url ? `#${channel?.name ?? "unknown"} › message` : children;
    return el("a", { href: `#${channel?.name ?? ""}`, class: "mention", data: { jump: target[2] } }, text);
  }
  return el("a", { href: safeUrl(url), target: "_blank", rel: "noopener noreferrer" }, children);
}

function mention(sign, name, isMe) {
  return el("span", { class: isMe ? "mention mention-me" : "mention" }, sign + name);
}

function memberMention(member) {
  const node = mention("@", shortName(member), member.id === state.me?.id);
  const mark = member.simulated ? markOf(member) : null;
  if (mark) node.append(mark);
  return node;
}

/** A command in a text; a click opens its form. */
function commandMention(title) {
  return el("button", { class: "mention", type: "button", data: { command: title } }, `/${title}`);
}

function channelMention(id) {
  const channel = state.channels.get(id);
  if (!channel) return mention("#", "unknown", false);
  return el("a", { class: "mention", href: `#${channel.name}` }, `#${channel.name}`);
}

function spoiler(children) {
  const open = () => node.classList.add("open");
  const openByKey = (event) => (event.key === "Enter" || event.key === " ") && open();
  const node = el("span", { class: "spoiler", role: "button", tabIndex: 0, "aria-label": "Spoiler", on: { click: open, keydown: openByKey } }, children);
  return node;
}

const STYLES = {
  t: { timeStyle: "short" },
  T: { timeStyle: "medium" },
  d: { dateStyle: "short" },
  D: { dateStyle: "long" },
  f: { dateStyle: "long", timeStyle: "short" },
  F: { dateStyle: "full", timeStyle: "short" },
};

function timestamp(seconds, style, now) {
  const date = new Date(seconds * 1000);
  const shown = style === "R" ? relative(date - now) : new Intl.DateTimeFormat(state.locale, STYLES[style]).format(date);
  const full = new Intl.DateTimeFormat(state.locale, STYLES.F).format(date);
  return el("time", { class: "timestamp", title: full, data: style === "R" ? { until: String(seconds) } : {} }, shown);
}

/** "in 5 minutes", "2 hours ago", from a difference in ms. */
export function relative(difference_ms) {
  const format = new Intl.RelativeTimeFormat(state.locale, { numeric: "auto" });
  const seconds = difference_ms / 1000;
  for (const [unit, length] of [["day", 86400], ["hour", 3600], ["minute", 60]]) {
    if (Math.abs(seconds) >= length) return format.format(Math.round(seconds / length), unit);
  }
  return format.format(Math.round(seconds), "second");
}

/** Keeps "in 5 minutes" true while the page is open. */
export function keepTimestampsFresh() {
  setInterval(() => {
    for (const node of document.querySelectorAll("time[data-until]")) {
      node.textContent = relative(Number(node.dataset.until) * 1000 - Date.now());
    }
  }, 1000);
}
