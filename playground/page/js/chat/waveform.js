// What a clip looks like: its loudness over time, which is also a place to click. Read when the clip comes into view.

import { el } from "../core/dom.js";

const BARS = 120;
const WIDTH_PX = 400;
const HEIGHT_PX = 40;
const LARGEST_BYTES = 8 * 1024 * 1024;
const RATE_HZ = 8000; // enough for an outline

/**
 * A picture of the loudness of `audio`'s sound at `source`; null where it would be too much to read. `known` is the
 * outline that a voice message brings along: bytes in Base64.
 */
export function waveform(audio, source, size, known = "") {
  if (!source || (!known && (size > LARGEST_BYTES || typeof OfflineAudioContext === "undefined"))) return null;
  const canvas = el("canvas", { class: "waveform", width: WIDTH_PX, height: HEIGHT_PX, "aria-hidden": "true" });
  let peaks = [];
  const draw = () => paint(canvas, peaks, audio.duration ? audio.currentTime / audio.duration : 0);
  new IntersectionObserver((entries, observer) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    observer.disconnect();
    (known ? unpacked(known) : read(source)).then(
      (found) => {
        peaks = found;
        draw();
        canvas.classList.add("drawn");
      },
      () => canvas.remove(), // the player still plays what can't be drawn
    );
  }).observe(canvas);
  for (const moved of ["timeupdate", "seeked"]) audio.addEventListener(moved, draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  canvas.addEventListener("click", (event) => {
    if (audio.duration) audio.currentTime = (event.offsetX / canvas.clientWidth) * audio.duration;
  });
  return canvas;
}

/** The loudest moment of each bar, from 0 to 1. */
async function read(source) {
  const answer = await fetch(source);
  if (!answer.ok) throw new Error(String(answer.status));
  const sound = await new OfflineAudioContext(1, 1, RATE_HZ).decodeAudioData(await answer.arrayBuffer());
  const samples = sound.getChannelData(0);
  const peaks = Array.from({ length: BARS }, (_, bar) => {
    let most = 0;
    const end = Math.floor(((bar + 1) * samples.length) / BARS);
    for (let at = Math.floor((bar * samples.length) / BARS); at < end; at += 1) most = Math.max(most, Math.abs(samples[at]));
    return most;
  });
  return ofLoudest(peaks);
}

/** A voice message's own outline, stretched to as many bars as are drawn. */
async function unpacked(known) {
  const bytes = Uint8Array.from(atob(known), (letter) => letter.charCodeAt(0));
  return ofLoudest(Array.from({ length: BARS }, (_, bar) => bytes[Math.floor((bar * bytes.length) / BARS)]));
}

function ofLoudest(peaks) {
  const loudest = Math.max(...peaks) || 1;
  return peaks.map((peak) => peak / loudest);
}

function paint(canvas, peaks, played) {
  const pen = canvas.getContext("2d");
  const style = getComputedStyle(canvas);
  pen.clearRect(0, 0, WIDTH_PX, HEIGHT_PX);
  const step = WIDTH_PX / BARS;
  peaks.forEach((peak, bar) => {
    const height = Math.max(2, peak * HEIGHT_PX);
    pen.fillStyle = bar / BARS < played ? style.outlineColor : style.color;
    pen.fillRect(bar * step, (HEIGHT_PX - height) / 2, step - 1, height);
  });
}
