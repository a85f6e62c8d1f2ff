// The composer: text, files, replies, and the form of the command that is being filled in.

import { api } from "../core/api.js";
import { el, fill, icon } from "../core/dom.js";
import { toast } from "../core/popups.js";
import { commandsOfType, memberOf, state } from "../core/state.js";
import { sentence } from "../chat/message_menu.js";
import { nameOf } from "../chat/people.js";
import { CommandForm } from "./command_form.js";
import { CommandList, leavesOf } from "./command_list.js";
import { FileTray } from "./file_tray.js";

const TYPING_EVERY_MS = 8000;
const TALLEST_PX = 240;
const LONGEST = 2000;
const SHOWN_BELOW = 200;

export class Composer {
  /** `pending(what)` shows a waiting line in the list of messages. */
  constructor(pending) {
    this.pending = pending;
    this.replyTo = null;
    this.form = null;
    this.lastTyping = 0;
    this.channelId = null;
    this.drafts = new Map();
    this.tray = new FileTray();
    this.replyBar = el("div", { class: "reply-bar" });
    this.picker = el("input", { type: "file", multiple: true, class: "visually-hidden", tabIndex: -1, "aria-label": "Attach files" });
    this.text = el("textarea", { class: "composer-text", rows: 1, "aria-label": "Message", "aria-haspopup": "listbox", "aria-expanded": "false" });
    this.room = el("span", { class: "composer-room", role: "status" });
    this.commands = new CommandList(this.text, (leaf) => this.openForm(leaf));
    this.line = el(
      "div",
      { class: "composer-line" },
      tool("plus", "Attach files", () => this.picker.click()),
      this.picker,
      this.text,
      this.room,
      tool("slash", "Commands", () => this.startCommand()),
      tool("send", "Send message", () => this.sendMessage()),
    );
    this.box = el("div", { class: "composer-box" }, this.replyBar, this.tray.element, this.line);
    this.element = el("div", { class: "composer" }, this.commands.element, this.box);
    this.listen();
  }

  listen() {
    this.picker.addEventListener("change", () => {
      this.take([...this.picker.files]);
      this.picker.value = "";
    });
    this.text.addEventListener("input", () => this.changed());
    this.text.addEventListener("keydown", (event) => this.handleKey(event));
    this.text.addEventListener("paste", (event) => this.take([...event.clipboardData.files]));
  }

  changed() {
    this.fit();
    this.showRoom();
    this.commands.update(this.text.value);
    const isTalk = this.text.value && !this.text.value.startsWith("/");
    if (isTalk && Date.now() - this.lastTyping > TYPING_EVERY_MS) {
      this.lastTyping = Date.now();
      api.typing(state.channelId).catch((error) => toast(sentence(error)));
    }
  }

  /** Near the limit: how many characters are left; beyond it, how many are too many. */
  showRoom() {
    const left = LONGEST - lengthOf(this.text.value);
    this.room.textContent = left < SHOWN_BELOW ? String(left) : "";
    this.room.classList.toggle("failure", left < 0);
  }

  fit() {
    this.text.style.height = "auto";
    this.text.style.height = `${Math.min(this.text.scrollHeight, TALLEST_PX)}px`;
  }

  handleKey(event) {
    if (this.commands.handleKey(event)) return;
    if (event.key === "Escape") {
      this.reply(null);
      this.commands.close();
    } else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      this.sendMessage();
    }
  }

  /** Opens the list of commands, as typing "/" does. */
  startCommand(typed = "/") {
    if (this.form) this.closeForm();
    this.text.value = typed;
    this.text.focus();
    this.changed();
  }

  /** Opens the form of a command by its title ("poll start"); whether this member has it here. */
  openCommand(title) {
    const leaf = commandsOfType(1).flatMap(leavesOf).find((each) => each.title === title);
    if (leaf) this.openForm(leaf);
    return Boolean(leaf);
  }

  openForm(leaf) {
    this.text.value = "";
    this.commands.close();
    this.form = new CommandForm(leaf, (...what) => this.sendCommand(...what), () => this.closeForm());
    fill(this.box, this.form.element);
    this.form.focus();
  }

  closeForm() {
    this.form = null;
    fill(this.box, this.replyBar, this.tray.element, this.line);
    this.changed();
    this.text.focus();
  }

  async sendCommand(title, body, files) {
    const notice = this.pending(`/${title}`);
    this.closeForm();
    try {
      notice.done(await api.interact(state.channelId, body, files));
    } catch (error) {
      notice.done({ outcome: "refused", content: sentence(error) });
    }
  }

  async sendMessage() {
    const content = this.text.value.trim();
    if (!content && !this.tray.files.length) return;
    if (lengthOf(content) > LONGEST) {
      toast(`A message has at most ${LONGEST} characters; this one has ${lengthOf(content)}. Please shorten it, or send it as a file.`);
      return;
    }
    const body = { content: withMentions(content) };
    const { channelId, replyTo } = this;
    if (replyTo) body.message_reference = { message_id: replyTo.id };
    const files = this.tray.takeAll();
    this.text.value = "";
    this.reply(null);
    this.changed();
    try {
      await api.say(channelId, body, files);
    } catch (error) {
      this.takeBack(channelId, content, files, replyTo);
      toast(sentence(error));
    }
  }

  /** What couldn't be sent stands in its channel's composer again, before whatever was typed there since. */
  takeBack(channelId, content, files, replyTo) {
    const joined = (since) => [content, since].filter(Boolean).join("\n");
    this.tray.set([...files, ...this.tray.files]);
    if (channelId !== this.channelId) {
      this.drafts.set(channelId, joined(this.drafts.get(channelId)));
      return;
    }
    this.text.value = joined(this.text.value);
    this.reply(this.replyTo ?? replyTo);
    this.changed();
  }

  /** Takes files that were dropped, pasted or chosen: into the open command, else to the message. */
  take(files) {
    for (const file of files) {
      if (this.form) this.form.takeFile(file);
      else this.tray.add(file);
    }
  }

  /** The next message answers `message`; null: none. */
  reply(message) {
    this.replyTo = message;
    if (!message) {
      fill(this.replyBar);
      return;
    }
    fill(this.replyBar, el("span", {}, "Replying to ", nameOf(memberOf(message.author.id))), tool("close", "Don't reply", () => this.reply(null)));
    this.text.focus();
  }

  /** The channel on screen is now this one: what was half-written stays with the channel it was written in. */
  enter(channel) {
    this.text.placeholder = channel.type === 1 ? `Message ${state.bot.name}` : `Message #${channel.name}`;
    if (this.channelId === channel.id) return; // the connection was lost for a moment: what is half filled in stays
    if (this.form) this.closeForm();
    this.reply(null);
    this.drafts.set(this.channelId, this.text.value);
    this.channelId = channel.id;
    this.text.value = this.drafts.get(channel.id) ?? "";
    this.changed();
  }

  refreshCommands() {
    this.commands.update(this.text.value);
  }

  focus() {
    this.text.focus();
  }
}

/** "@Ben" as the wire has it, `<@id>`: members by their names, the longest first. */
function withMentions(text) {
  const names = [...state.members.values()].sort((a, b) => b.name.length - a.name.length);
  return names.reduce((said, { name, id }) => said.replaceAll(new RegExp(`@${escaped(name)}(?!\\w)`, "gi"), `<@${id}>`), text);
}

/** In characters, not in the halves that JavaScript counts an emoji as. */
function lengthOf(text) {
  return [...text].length;
}

function escaped(text) {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

function tool(symbol, title, action) {
  return el("button", { class: "tool", type: "button", title, "aria-label": title, on: { click: action } }, icon(symbol));
}
