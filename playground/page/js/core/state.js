// What the page knows. Filled by app.js from the server, read by everything that draws.

export const state = {
  memberSlug: new URLSearchParams(location.search).get("member") ?? "",
  locale: localStorage.getItem("locale") ?? "en-US",
  me: null,
  guild: null,
  members: new Map(),
  roles: new Map(),
  channels: new Map(),
  bot: { id: "", name: "", online: false, activity: "", process: "" },
  switches: { attachment_size_limit: 0, rate_limits: false },
  channelId: "",
  messages: new Map(),
  unread: new Set(),
};

/** The channel on screen. */
export function currentChannel() {
  return state.channels.get(state.channelId);
}

/** Everybody by id; somebody unknown (who left) under a name that says so. */
export function memberOf(id) {
  return state.members.get(id) ?? { id, slug: "", name: "Unknown member", colour: "#80848e", roles: [], is_bot: false };
}

/** Who wrote a message; a webhook has a name of its own. */
export function authorOf(message) {
  const { author } = message;
  if (!message.webhook_id || state.members.has(author.id)) return memberOf(author.id);
  return { ...memberOf(author.id), name: author.username, is_bot: true };
}

/** A name without the words that mark it as simulated: for where a badge stands beside it. */
export function shortName(member) {
  return member.simulated ? member.name.replace(/ \(simulated\)$/, "") : member.name;
}

/** The colour of a member's highest role that has one, or null. */
export function nameColour(member) {
  const roles = member.roles.map((id) => state.roles.get(id)).filter((role) => role && role.color);
  roles.sort((a, b) => b.position - a.position);
  return roles.length ? `#${roles[0].color.toString(16).padStart(6, "0")}` : null;
}

/** The commands of one type (1 slash, 2 user menu, 3 message menu) that I may use in the channel on screen. */
export function commandsOfType(type) {
  return (currentChannel()?.commands ?? []).filter((command) => command.type === type);
}

/** A command's, option's or choice's name or description in the member's language. */
export function localized(thing, key) {
  return thing[`${key}_localizations`]?.[state.locale] ?? thing[key];
}
