// One message, as an element.

import { api } from "../core/api.js";
import { messageComponents } from "./components.js";
import { el, icon } from "../core/dom.js";
import { embed } from "./embeds.js";
import { inline, markdown } from "./markdown.js";
import { attachmentsOf } from "./media.js";
import { openModal } from "./modal.js";
import { longTime, shortTime } from "../core/times.js";
import { authorOf, memberOf, state } from "../core/state.js";
import { messageMenu, removeMessage, sentence } from "./message_menu.js";
import { avatar, markOf, nameOf } from "./people.js";
import { pollOf } from "./poll.js";
import { pickReaction, reactionsOf } from "./reactions.js";

const EPHEMERAL = 1 << 6;
const LOADING = 1 << 7;
const COMPONENTS_V2 = 1 << 15;
const TOKEN_LIFETIME_MS = 15 * 60 * 1000;
const COMMAND_TYPES = [20, 23];

/** The element of a message. `reply(message)` and `jump(messageId)` come from the list it stands in. */
export function messageElement(message, { reply, jump }) {
  const author = authorOf(message);
  const isPrivate = Boolean(message.flags & EPHEMERAL);
  const failure = el("div", { class: "failure", role: "alert" });
  const node = el(
    "li",
    { class: isPrivate ? "message private" : "message", data: { id: message.id, author: author.id } },
    header(message, jump),
    el(
      "div",
      { class: "message-main" },
      avatar(author),
      el(
        "div",
        { class: "message-body" },
        el(
          "div",
          { class: "message-head" },
          nameOf(author),
          markOf(author),
          el("time", { class: "when", title: longTime(message.timestamp) }, shortTime(message.timestamp)),
          message.content ? null : edited(message),
        ),
        content(message, failure),
        failure,
        isPrivate ? privacy(message) : null,
        threadOf(message),
        reactionsOf(message),
      ),
    ),
  );
  if (message.mentions.some((user) => user.id === state.me.id)) node.classList.add("mentions-me");
  node.append(tools(message, isPrivate, reply));
  return node;
}

function tools(message, isPrivate, reply) {
  const beside = (event) => event.currentTarget.getBoundingClientRect();
  const react = (event) => pickReaction(message, beside(event).left - 160, beside(event).bottom + 4);
  const more = (event) => messageMenu(message, beside(event).left - 160, beside(event).bottom + 4, reply);
  return el(
    "div",
    { class: "tools" },
    isPrivate ? null : tool("smile", "Add a reaction", react),
    isPrivate ? null : tool("reply", "Reply", () => reply(message)),
    tool("more", "More", more),
  );
}

/** The link to the thread that starts at a message, if there is one. */
function threadOf(message) {
  const thread = state.channels.get(message.id);
  if (thread?.type !== 11) return null;
  return el("a", { class: "thread-link channel-link", href: `#${thread.name}`, data: { channel: thread.id } }, icon("thread"), `${thread.name} ›`);
}

function tool(symbol, title, action) {
  return el("button", { class: "tool", type: "button", title, "aria-label": title, on: { click: action } }, icon(symbol));
}

/** The line above a message: which command made it, or what it replies to. */
function header(message, jump) {
  const used = message.interaction_metadata;
  if (COMMAND_TYPES.includes(message.type) && used) {
    const user = memberOf(used.user.id);
    const name = message.type === 20 ? `/${used.name ?? ""}` : (used.name ?? "an app");
    return el(
      "div",
      { class: "message-context" },
      avatar(user, "avatar tiny"),
      nameOf(user),
      markOf(user),
      el("span", {}, " used "),
      el("span", { class: "command-name" }, name),
    );
  }
  if (!message.message_reference) return null;
  const target = message.referenced_message;
  const line = target
    ? [avatar(authorOf(target), "avatar tiny"), nameOf(authorOf(target)), markOf(authorOf(target)), " ", preview(target)]
    : [el("em", {}, "Original message was deleted")];
  return el(
    "button",
    { class: "message-context reply", type: "button", on: { click: () => target && jump(target.id) } },
    line,
  );
}

function preview(message) {
  if (message.content) return el("span", { class: "preview" }, inline(message.content.split("\n")[0].slice(0, 120)));
  return el("em", {}, message.attachments.length ? "Click to see attachment" : "Click to see message");
}

function content(message, failure) {
  if (message.flags & LOADING) return thinking(message);
  const use = (customId, values) => useComponent(message, customId, values, failure);
  const text = message.flags & COMPONENTS_V2 ? null : message.content;
  const body = el(
    "div",
    { class: "message-content" },
    text ? markdown(text) : null,
    text ? edited(message) : null,
  );
  return [
    text ? body : null,
    message.flags & COMPONENTS_V2 || !message.attachments.length ? null : attachmentsOf(message.attachments),
    pollOf(message),
    message.embeds.map(embed),
    message.components.length ? el("div", { class: "components" }, messageComponents(message.components, use)) : null,
  ];
}

function edited(message) {
  return message.edited_timestamp ? el("span", { class: "edited", title: longTime(message.edited_timestamp) }, "(edited)") : null;
}

function thinking(message) {
  const age_ms = Date.now() - new Date(message.timestamp);
  if (age_ms > TOKEN_LIFETIME_MS) return el("div", { class: "failure" }, "The application did not respond");
  return el(
    "div",
    { class: "thinking" },
    el("span", { class: "dots", "aria-hidden": "true" }, el("i"), el("i"), el("i")),
    `${memberOf(message.author.id).name} is thinking…`,
  );
}

function privacy(message) {
  return el(
    "div",
    { class: "privacy" },
    icon("eye"),
    "Only you can see this • ",
    el("button", { class: "link", type: "button", on: { click: () => removeMessage(message) } }, "Dismiss message"),
  );
}

async function useComponent(message, customId, values, failure) {
  failure.textContent = "";
  try {
    const answer = await api.interact(message.channel_id, {
      kind: "component",
      message_id: message.id,
      custom_id: customId,
      values,
    });
    if (answer.outcome === "failed") failure.textContent = "This interaction failed";
    if (answer.outcome === "modal") openModal(answer.content, message.channel_id);
  } catch (error) {
    failure.textContent = sentence(error);
  }
}
