// The composer: text, files, replies, and the list of commands that "/" opens.

import { api } from "../core/api.js";
import { createCommandForm } from "./command_form.js";
import { el, fill, fileSize, icon } from "../core/dom.js";
import { nameOf, sentence } from "../chat/message.js";
import { toast } from "../core/popups.js";
import { commandsOfType, localized, memberOf, state } from "../core/state.js";

const SUBCOMMAND = 1;
const GROUP = 2;
const TYPING_EVERY_MS = 8000;

/** The composer; `pending(what)` shows a waiting line in the list. */
export function createComposer(pending) {
  let replyTo = null;
  let files = [];
  let form = null;
  let lastTyping = 0;
  let channelId = null;
  const drafts = new Map();

  const replyBar = el("div", { class: "reply-bar" });
  const tray = el("div", { class: "file-tray" });
  const commandList = el("div", { class: "command-list", role: "listbox", "aria-label": "Commands" });
  const picker = el("input", { type: "file", multiple: true, class: "visually-hidden", "aria-label": "Attach files" });
  const text = el("textarea", { class: "composer-text", rows: 1, maxLength: 2000, "aria-label": "Message" });
  const line = el(
    "div",
    { class: "composer-line" },
    el("button", { class: "tool plus", type: "button", title: "Attach files", "aria-label": "Attach files", on: { click: () => picker.click() } }, icon("plus")),
    picker,
    text,
    el("button", { class: "tool", type: "button", title: "Commands", "aria-label": "Commands", on: { click: () => { text.value = "/"; text.focus(); changed(); } } }, icon("slash")),
    el("button", { class: "tool", type: "button", title: "Send", "aria-label": "Send message", on: { click: sendMessage } }, icon("send")),
  );
  const slot = el("div", { class: "composer-box" }, replyBar, tray, line);
  const node = el("div", { class: "composer" }, commandList, slot);

  picker.addEventListener("change", () => {
    take([...picker.files]);
    picker.value = "";
  });
  text.addEventListener("input", changed);
  text.addEventListener("keydown", keys);
  text.addEventListener("paste", (event) => take([...event.clipboardData.files]));

  function changed() {
    text.style.height = "auto";
    text.style.height = `${Math.min(text.scrollHeight, 240)}px`;
    drawCommands();
    if (text.value && !text.value.startsWith("/") && Date.now() - lastTyping > TYPING_EVERY_MS) {
      lastTyping = Date.now();
      api.typing(state.channelId).catch((error) => toast(sentence(error)));
    }
  }

  function keys(event) {
    const items = [...commandList.querySelectorAll(".command-item")];
    const at = items.findIndex((item) => item.classList.contains("active"));
    if (items.length && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      items[at]?.classList.remove("active");
      const to = items[(at + (event.key === "ArrowDown" ? 1 : items.length - 1)) % items.length];
      to.classList.add("active");
      to.scrollIntoView({ block: "nearest" });
    } else if (items.length && (event.key === "Enter" || event.key === "Tab")) {
      event.preventDefault();
      items[Math.max(at, 0)].click();
    } else if (event.key === "Escape") {
      setReply(null);
      fill(commandList);
    } else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      sendMessage();
    }
  }

  function drawCommands() {
    const typed = text.value;
    if (!typed.startsWith("/") || typed.includes("\n")) {
      fill(commandList);
      return;
    }
    const wanted = typed.slice(1).toLowerCase().trim();
    const leaves = commandsOfType(1).flatMap(leavesOf).filter((leaf) => leaf.title.toLowerCase().includes(wanted));
    leaves.sort((a, b) => Number(b.title.startsWith(wanted)) - Number(a.title.startsWith(wanted)) || a.title.localeCompare(b.title));
    const heading = el("div", { class: "menu-heading" }, state.bot.online ? "Woodshed" : "Woodshed (offline)");
    const empty = el("div", { class: "muted empty" }, "No command matches.");
    fill(commandList, heading, leaves.length ? leaves.map((leaf, number) => commandItem(leaf, number === 0)) : empty);
  }

  function commandItem(leaf, isActive) {
    const names = leaf.options.map((option) => el("span", { class: option.required ? "option-tag required" : "option-tag" }, localized(option, "name")));
    return el(
      "button",
      { class: isActive ? "command-item active" : "command-item", type: "button", role: "option", on: { click: () => openForm(leaf) } },
      el("span", { class: "command-text" }, el("span", { class: "command-title" }, `/${leaf.title}`, " ", names), el("span", { class: "muted" }, leaf.description)),
    );
  }

  function openForm(leaf) {
    text.value = "";
    fill(commandList);
    form = createCommandForm(leaf, sendCommand, closeForm);
    fill(slot, form.element);
    form.focus();
  }

  function closeForm() {
    form = null;
    fill(slot, replyBar, tray, line);
    changed();
    text.focus();
  }

  async function sendCommand(title, body, chosen) {
    const notice = pending(`/${title}`);
    closeForm();
    try {
      notice.done(await api.interact(state.channelId, body, chosen));
    } catch (error) {
      notice.done({ outcome: "refused", content: sentence(error) });
    }
  }

  async function sendMessage() {
    const content = text.value.trim();
    if (!content && !files.length) return;
    const body = { content };
    if (replyTo) body.message_reference = { message_id: replyTo.id };
    const sent = files;
    text.value = "";
    files = [];
    setReply(null);
    drawTray();
    changed();
    try {
      await api.say(state.channelId, body, sent);
    } catch (error) {
      text.value = content;
      files = sent;
      drawTray();
      toast(sentence(error));
    }
  }

  /** Takes files that were dropped, pasted or chosen: into the open command, else to the message. */
  function take(chosen) {
    for (const file of chosen) {
      if (form) form.takeFile(file);
      else if (file.size > state.switches.attachment_size_limit) {
        toast(`${file.name} is too large: the limit is ${fileSize(state.switches.attachment_size_limit)}.`);
      } else if (files.length < 10) files.push(file);
    }
    drawTray();
  }

  function drawTray() {
    fill(
      tray,
      files.map((file) =>
        el(
          "div",
          { class: "tray-item" },
          file.type.startsWith("image/") ? el("img", { src: URL.createObjectURL(file), alt: "" }) : icon("file"),
          el("span", { class: "tray-name" }, file.name),
          el("button", { class: "tool", type: "button", title: `Remove ${file.name}`, on: { click: () => { files = files.filter((f) => f !== file); drawTray(); } } }, icon("trash")),
        ),
      ),
    );
  }

  function setReply(message) {
    replyTo = message;
    if (!message) fill(replyBar);
    else {
      fill(
        replyBar,
        el("span", {}, "Replying to ", nameOf(memberOf(message.author.id))),
        el("button", { class: "tool", type: "button", title: "Don't reply", on: { click: () => setReply(null) } }, icon("close")),
      );
      text.focus();
    }
  }

  return {
    element: node,
    take,
    reply: setReply,
    /** The channel on screen is now this one: what was half-written stays with the channel it was written in. */
    enter(channel) {
      if (form) closeForm();
      setReply(null);
      text.placeholder = channel.type === 1 ? "Message Woodshed" : `Message #${channel.name}`;
      if (channelId === channel.id) return;
      drafts.set(channelId, text.value);
      channelId = channel.id;
      text.value = drafts.get(channelId) ?? "";
      changed();
    },
    refreshCommands: drawCommands,
    focus: () => text.focus(),
  };
}

/** Everything of a command that can be sent: itself, or each of its subcommands. */
export function leavesOf(command) {
  const nested = (options, path, title) =>
    options.flatMap((option) => {
      const name = `${title} ${localized(option, "name")}`;
      const further = [...path, option.name];
      if (option.type === GROUP) return nested(option.options ?? [], further, name);
      return [{ command, path: further, title: name, description: localized(option, "description"), options: option.options ?? [] }];
    });
  const options = command.options ?? [];
  if (options.some((option) => option.type === SUBCOMMAND || option.type === GROUP)) {
    return nested(options, [], localized(command, "name"));
  }
  return [{ command, path: [], title: localized(command, "name"), description: localized(command, "description"), options }];
}
