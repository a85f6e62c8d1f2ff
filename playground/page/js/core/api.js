// Requests to the server, in the name of the member that this tab plays.

import { state } from "./state.js";

/** A refusal by the server, with a sentence for the member. */
export class Refused extends Error {}

const SENTENCES = {
  10008: "That message is gone.",
  10063: "That command no longer exists.",
  40005: "The file is too large for this server.",
  50006: "Write something first, or add a file.",
  520001: "This poll is closed.",
  50013: "You don't have permission to do that.",
};

async function request(method, path, body, files = []) {
  const options = { method };
  if (files.length) {
    options.body = new FormData();
    options.body.append("payload_json", JSON.stringify(body));
    files.forEach((file, number) => options.body.append(`files[${number}]`, file, file.name));
  } else if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers = { "Content-Type": "application/json" };
  }
  const separator = path.includes("?") ? "&" : "?";
  let response;
  try {
    response = await fetch(`page/${path}${separator}member=${encodeURIComponent(state.memberSlug)}`, options);
  } catch {
    throw new Refused("The playground doesn't answer. Is it still running?");
  }
  if (response.status === 204) return null;
  const answer = await response.json().catch(() => null);
  if (answer === null) throw new Refused(`The playground couldn't do that (HTTP ${response.status}).`);
  if (!response.ok) throw new Refused(faultOf(answer.errors) ?? SENTENCES[answer.code] ?? answer.message);
  return answer;
}

/** The first faulty field of a 50035 answer, as a sentence. */
function faultOf(errors, path = []) {
  if (!errors) return null;
  if (errors._errors) return `${path.join(" ")}: ${errors._errors[0].message}`;
  for (const [key, inner] of Object.entries(errors)) {
    const fault = faultOf(inner, [...path, key]);
    if (fault) return fault;
  }
  return null;
}

export const api = {
  people: () => request("GET", "people"),
  state: () => request("GET", "state"),
  history: (channelId, before) => request("GET", `channels/${channelId}/messages${before ? `?before=${before}` : ""}`),
  say: (channelId, body, files) => request("POST", `channels/${channelId}/messages`, body, files),
  remove: (channelId, messageId) => request("DELETE", `channels/${channelId}/messages/${messageId}`),
  react: (message, emoji, isOn) =>
    request(isOn ? "PUT" : "DELETE", `channels/${message.channel_id}/messages/${message.id}/reactions/${encodeURIComponent(emoji)}`),
  vote: (message, answers) => request("PUT", `channels/${message.channel_id}/messages/${message.id}/votes`, { answers }),
  startThread: (channelId, body) => request("POST", `channels/${channelId}/threads`, body),
  typing: (channelId) => request("POST", `channels/${channelId}/typing`),
  interact: (channelId, body, files) =>
    request("POST", `channels/${channelId}/interactions`, { locale: state.locale, ...body }, files),
  botPermissions: (channelId, body) => request("PUT", `channels/${channelId}/bot-permissions`, body),
  switches: (body) => request("PUT", "switches", body),
  dropGateway: () => request("POST", "gateway/drop"),
};

/** Listens to the server's events for ever; `onEvent(name, body)`, `onConnection(isUp)`. */
export function listen(onEvent, onConnection) {
  let wait_ms = 500;
  const connect = () => {
    const socket = new WebSocket(`ws://${location.host}${location.pathname}page/events?member=${encodeURIComponent(state.memberSlug)}`);
    socket.addEventListener("open", () => {
      wait_ms = 500;
      onConnection(true);
    });
    socket.addEventListener("message", (message) => {
      const { event, body } = JSON.parse(message.data);
      onEvent(event, body);
    });
    socket.addEventListener("close", () => {
      onConnection(false);
      setTimeout(connect, wait_ms);
      wait_ms = Math.min(wait_ms * 1.5, 5000);
    });
  };
  connect();
}
