// The page: reads the state, draws the rooms, listens to what happens.

import { Refused, api, listen } from "./core/api.js";
import { el, fill } from "./core/dom.js";
import { currentChannel, state } from "./core/state.js";
import { applyTheme } from "./core/theme.js";
import { keepTimestampsFresh } from "./chat/markdown.js";
import { report } from "./chat/message_menu.js";
import { MessageList } from "./chat/message_list.js";
import { Composer } from "./composer/composer.js";
import { drawChannels } from "./around/channels.js";
import { chooseMember } from "./around/chooser.js";
import { acceptDrops } from "./around/drops.js";
import { Drawers } from "./around/drawers.js";
import { drawHeader } from "./around/header.js";
import { drawMembers } from "./around/members.js";
import { drawStatus, statusText } from "./around/status.js";
import { Typing } from "./around/typing.js";
import { drawHelpOffer, whoLine } from "./around/who.js";

class App {
  constructor(root) {
    this.isConnected = true;
    this.wasLost = false;
    this.sidebar = el("aside", { class: "sidebar" });
    this.header = el("header", { class: "channel-header" });
    this.members = el("aside", { class: "members", "aria-label": "Members" });
    this.banner = el("div", { class: "banner", role: "status" });
    this.status = el("div", { class: "status" });
    this.typing = new Typing();
    const listening = new Promise((settle) => (this.isListening = settle));
    this.list = new MessageList((message) => this.composer.reply(message), listening);
    state.pending = (what) => this.list.pending(what);
    this.composer = new Composer(state.pending);
    this.chat = el(
      "main",
      { class: "chat" },
      this.header,
      whoLine(),
      this.banner,
      el("div", { class: "chat-body" }, el("section", { class: "chat-main" }, this.list.element, this.composer.element, this.typing.element), this.members),
    );
    const rail = el("nav", { class: "rail", "aria-label": "Servers" }, el("img", { src: "page/files/icon.svg", alt: state.guild.name, width: 48, height: 48 }));
    const shell = el("div", { class: "shell" }, rail, this.sidebar, this.chat);
    this.drawers = new Drawers(shell, { channels: this.sidebar, members: this.members });
    fill(root, shell);
  }

  draw() {
    drawChannels(this.sidebar, this.status);
    drawHeader(this.header, (name) => this.drawers.toggle(name));
    drawMembers(this.members);
    drawHelpOffer();
    this.drawBanner();
  }

  drawBanner() {
    this.banner.textContent = this.isConnected && state.bot.online ? "" : statusText(this.isConnected);
    drawStatus(this.status, this.isConnected);
  }

  async openChannel() {
    const name = decodeURIComponent(location.hash.slice(1));
    const named = () => [...state.channels.values()].findLast((c) => (c.name || "woodshed") === name);
    if (name && !named()) readState(await api.state()); // a thread that has just been made
    const channel = named() ?? [...state.channels.values()].find((c) => c.type === 0);
    state.channelId = channel.id;
    state.unread.delete(channel.id);
    this.draw();
    this.composer.enter(channel);
    this.typing.draw();
    await this.list.open(channel);
  }

  async refresh() {
    readState(await api.state());
    if (!currentChannel()) location.hash = "";
    this.draw();
    this.composer.refreshCommands();
    this.list.showThreads();
  }

  /** Acts on an event of the server; names that it doesn't know are none of its business. */
  receive(event, body) {
    const isHere = body.channel_id === state.channelId;
    const handlers = {
      MESSAGE_CREATE: () => this.messageCame(body, isHere),
      MESSAGE_UPDATE: () => isHere && this.list.upsert(body),
      MESSAGE_DELETE: () => isHere && this.list.remove(body.id),
      TYPING_START: () => this.typing.started(body.user_id, body.channel_id),
      BOT_STATUS: () => this.botChanged(body),
      COMMANDS_UPDATE: () => report(this.refresh()),
      CHANNELS_UPDATE: () => report(this.refresh()),
    };
    handlers[event]?.();
  }

  messageCame(message, isHere) {
    this.typing.stopped(message.author.id);
    if (isHere) this.list.upsert(message);
    else {
      state.unread.add(message.channel_id);
      drawChannels(this.sidebar, this.status);
    }
  }

  botChanged(status) {
    Object.assign(state.bot, status);
    drawMembers(this.members);
    this.drawBanner();
  }

  connectionChanged(isUp) {
    this.isConnected = isUp;
    this.isListening();
    if (isUp && this.wasLost) report(this.refresh().then(() => this.openChannel()));
    this.wasLost = !isUp;
    this.drawBanner();
  }

  listen() {
    listen((event, body) => this.receive(event, body), (isUp) => this.connectionChanged(isUp));
    addEventListener("hashchange", () => report(this.openChannel()));
    this.sidebar.addEventListener("click", (event) => this.followChannel(event));
    this.list.element.addEventListener("click", (event) => this.followMessage(event));
    this.chat.addEventListener("click", (event) => {
      const command = event.target.closest("[data-command]")?.dataset.command;
      if (command) this.composer.openCommand(command);
    });
    addEventListener("languagechange", () => report(this.openChannel()));
    acceptDrops(this.chat, (files) => this.composer.take(files));
    addEventListener("keydown", (event) => {
      const isTyping = event.target.closest("input, textarea, select, dialog, .popup");
      if (!isTyping && event.key.length === 1 && event.key !== " " && !event.ctrlKey && !event.metaKey && !event.altKey) this.composer.focus();
    });
  }

  /** The browser reports a followed link only later, when the member may already be typing. So a click opens its channel itself. */
  followChannel(event) {
    const link = event.target.closest("a.channel");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (link.hash !== location.hash) history.pushState(null, "", link.hash);
    this.drawers.close();
    report(this.openChannel());
  }

  /** A link to a message: open its channel, if that isn't the one on screen, then go there. */
  followMessage(event) {
    const target = event.target.closest("[data-jump]");
    if (!target) return;
    event.preventDefault();
    const isHere = target.hash.slice(1) === currentChannel().name;
    if (!isHere) history.pushState(null, "", target.hash);
    report((isHere ? Promise.resolve() : this.openChannel()).then(() => this.list.jump(target.dataset.jump)));
  }
}

function readState(answer) {
  state.guild = answer.guild;
  state.members = new Map(answer.members.map((member) => [member.id, member]));
  state.roles = new Map(answer.roles.map((role) => [role.id, role]));
  state.channels = new Map(answer.channels.map((channel) => [channel.id, channel]));
  state.bot = answer.bot;
  state.switches = answer.switches;
  state.me = answer.me;
}

async function start(root) {
  readState(await api.state());
  document.title = `${state.me.name} · ${state.guild.name}`;
  const app = new App(root);
  app.listen();
  keepTimestampsFresh();
  const opened = app.openChannel();
  app.composer.focus(); // before the messages are there: whoever has begun to do something else isn't called back
  await opened;
}

applyTheme();
const root = document.getElementById("app");
(state.memberSlug ? start(root) : chooseMember(root)).catch((error) => {
  const text = error instanceof Refused ? error.message : String(error);
  fill(root, el("main", { class: "chooser" }, el("h1", {}, "That didn't work"), el("p", {}, text), el("a", { class: "button primary", href: location.pathname }, "Choose a member")));
  if (!(error instanceof Refused)) throw error;
});
