// One message, as an element.

import { Refused, api } from "../core/api.js";
import { messageComponents } from "./components.js";
import { el, icon } from "../core/dom.js";
import { embed } from "./embeds.js";
import { markdown } from "./markdown.js";
import { attachmentsOf } from "./media.js";
import { openModal } from "./modal.js";
import { menu, toast } from "../core/popups.js";
import { commandsOfType, localized, memberOf, nameColour, state } from "../core/state.js";

const EPHEMERAL = 1 << 6;
const LOADING = 1 << 7;
const COMPONENTS_V2 = 1 << 15;
const TOKEN_LIFETIME_MS = 15 * 60 * 1000;
const COMMAND_TYPES = [20, 23];

/** The round picture of a member: the first letter on the member's colour. */
export function avatar(member, className = "avatar") {
  return el("span", { class: className, style: { "--colour": member.colour }, "aria-hidden": "true" }, member.name[0]);
}

/** A member's name; a click or right click offers the user menus. */
export function nameOf(member) {
  const node = el("span", { class: "name", data: { user: member.id } }, member.name);
  const colour = nameColour(member);
  if (colour) node.style.color = colour;
  return node;
}

/** The user menus of bots, for a member's name wherever it stands. */
export function userMenu(member, x, y) {
  const commands = commandsOfType(2).map((command) => ({
    label: localized(command, "name"),
    action: () => useMenu(command, member.id, `"${localized(command, "name")}" on ${member.name}`),
  }));
  menu([
    ...(commands.length ? ["Apps", ...commands, null] : []),
    { label: "Copy user ID", action: () => navigator.clipboard?.writeText(member.id) },
  ], x, y);
}

async function useMenu(command, targetId, what) {
  const notice = state.pending(what);
  try {
    const answer = await api.interact(state.channelId, { kind: "menu", command_id: command.id, target_id: targetId });
    notice.done(answer);
  } catch (error) {
    notice.done({ outcome: "refused", content: sentence(error) });
  }
}

/** A refusal as a sentence; anything else is a fault of this page and goes on to the console. */
export function sentence(error) {
  if (error instanceof Refused) return error.message;
  throw error;
}

/** What can be done with a message. `reply(message)` prepares an answer to it. */
export function messageMenu(message, x, y, reply) {
  const commands = message.flags & EPHEMERAL ? [] : commandsOfType(3);
  const mayDelete = message.author.id === state.me.id || state.me.is_staff || message.flags & EPHEMERAL;
  menu([
    ...(message.flags & EPHEMERAL ? [] : [{ label: "Reply", icon: icon("reply"), action: () => reply(message) }]),
    ...(commands.length ? [null, "Apps"] : []),
    ...commands.map((command) => ({
      label: localized(command, "name"),
      icon: icon("apps"),
      action: () => useMenu(command, message.id, `"${localized(command, "name")}"`),
    })),
    null,
    { label: "Copy text", action: () => navigator.clipboard?.writeText(message.content) },
    { label: "Copy message ID", action: () => navigator.clipboard?.writeText(message.id) },
    ...(mayDelete ? [{ label: "Delete message", icon: icon("trash"), danger: true, action: () => remove(message) }] : []),
  ], x, y);
}

async function remove(message) {
  try {
    await api.remove(message.channel_id, message.id);
  } catch (error) {
    toast(sentence(error));
  }
}

/** The element of a message. `reply(message)` and `jump(messageId)` come from the list it stands in. */
export function messageElement(message, { reply, jump }) {
  const author = memberOf(message.author.id);
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
          author.is_bot ? el("span", { class: "tag" }, "APP") : null,
          el("time", { class: "when", title: longTime(message.timestamp) }, shortTime(message.timestamp)),
        ),
        content(message, failure),
        failure,
        isPrivate ? privacy(message) : null,
      ),
    ),
  );
  if (message.mentions.some((user) => user.id === state.me.id)) node.classList.add("mentions-me");
  node.append(
    el(
      "div",
      { class: "tools" },
      isPrivate ? null : tool("reply", "Reply", () => reply(message)),
      tool("more", "More", (event) => {
        const box = event.currentTarget.getBoundingClientRect();
        messageMenu(message, box.left - 160, box.bottom + 4, reply);
      }),
    ),
  );
  return node;
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
      el("span", {}, " used "),
      el("span", { class: "command-name" }, name),
    );
  }
  if (!message.message_reference) return null;
  const target = message.referenced_message;
  const line = target
    ? [avatar(memberOf(target.author.id), "avatar tiny"), nameOf(memberOf(target.author.id)), " ", preview(target)]
    : [el("em", {}, "Original message was deleted")];
  return el(
    "button",
    { class: "message-context reply", type: "button", on: { click: () => target && jump(target.id) } },
    line,
  );
}

function preview(message) {
  if (message.content) return el("span", { class: "preview" }, message.content.slice(0, 120));
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
    message.edited_timestamp ? el("span", { class: "edited", title: longTime(message.edited_timestamp) }, "(edited)") : null,
  );
  return [
    text || message.edited_timestamp ? body : null,
    message.flags & COMPONENTS_V2 || !message.attachments.length ? null : attachmentsOf(message.attachments),
    message.embeds.map(embed),
    message.components.length ? el("div", { class: "components" }, messageComponents(message.components, use)) : null,
  ];
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
    el("button", { class: "link", type: "button", on: { click: () => remove(message) } }, "Dismiss message"),
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

function shortTime(iso) {
  const date = new Date(iso);
  const time = new Intl.DateTimeFormat(state.locale, { timeStyle: "short" }).format(date);
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(iso).setHours(0, 0, 0, 0)) / 86400000);
  if (days === 0) return time;
  if (days === 1) return `Yesterday at ${time}`;
  return new Intl.DateTimeFormat(state.locale, { dateStyle: "short", timeStyle: "short" }).format(date);
}

function longTime(iso) {
  return new Intl.DateTimeFormat(state.locale, { dateStyle: "full", timeStyle: "short" }).format(new Date(iso));
}
