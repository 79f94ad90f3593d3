// The page: camera -> link -> picture, and everything a visitor can set. No state leaves the page but what links send.

import { CameraError, listCameras, openCamera } from "./camera.js";
import { Curtain } from "./curtain.js";
import { Faces } from "./faces.js";
import { bindKeys } from "./keys.js";
import { WebRtcLink } from "./link_webrtc.js";
import { WebSocketLink } from "./link_websocket.js";
import { Meter } from "./meter.js";
import { reasonOf } from "./reasons.js";

const $ = (id) => document.getElementById(id);
const token = new URLSearchParams(location.search).get("token") ?? "";
const video = document.createElement("video");
video.muted = video.playsInline = true;
const meter = new Meter();
const curtain = new Curtain($("curtain"), $("veil"), $("pictures"), { before: $("tag_before"), after: $("tag_after") });
const faces = new Faces($);
let stream = null, link = null, retry = null, failures = 0, paused = false;

// --- start and stop ---------------------------------------------------------------------------------------------

async function start() {
  tell("Waiting for the camera", "Your browser asks whether this page may use it: choose Allow. The pictures are worked on and forgotten.", "asking");
  try {
    await useCamera();
    connect();
  } catch (why) {
    if (!(why instanceof CameraError)) throw why;
    stopCamera();
    tell(why.title, why.message, "failed", "Start camera");
  }
}

async function useCamera() {
  stopCamera();
  stream = await openCamera($("camera").value, $("resolution").value);
  const [track] = stream.getVideoTracks();
  track.addEventListener("ended", () => {
    stop();
    tell("The camera has gone", "It was unplugged, or another program took it.", "failed", "Start camera");
  });
  video.srcObject = stream;
  await video.play();
  nameCameras(track.getSettings().deviceId);
}

async function nameCameras(chosen) {
  const cameras = await listCameras();
  if (!cameras.length) return;
  $("camera").replaceChildren(...cameras.map(({ id, name }) => new Option(name, id, false, id === chosen)));
}

function stopCamera() {
  stream?.getTracks().forEach((track) => track.stop());
  stream = video.srcObject = null;
}

function stop() {
  clearTimeout(retry);
  link?.close();
  link = null;
  stopCamera();
  faces.show([]);
  enable(false);
  $("connection").textContent = "not connected";
  tell("Stopped", "The camera is off.", "idle", "Start camera");
}

// --- the connection ---------------------------------------------------------------------------------------------

function connect() {
  clearTimeout(retry);
  link?.close();
  meter.reset();
  if (failures === 0) tell("Connecting", "Waiting for the server.", "asking");
  const Link = $("transport").value === "webrtc" ? WebRtcLink : WebSocketLink;
  link = new Link(token, stream, video, { hello, result, closed });
  link.paused = paused;
}

function hello(message) {
  $("visitors").textContent = `${message.visitors} of ${message.limit}`;
  $("connection").textContent = `connected, ${$("transport").selectedOptions[0].textContent}`;
  faces.name(message.shapes);
  link.wish(wishes());
  enable(true);
}

function closed(reason) {
  link = null;
  enable(false);
  faces.show([]);
  failures += 1;
  const { title, text, afterMs } = reasonOf(reason, failures);
  if (reason.kind === "no_webrtc") $("transport").value = "websocket";
  $("connection").textContent = title.toLowerCase();
  tell(title, text, "lost", "Try now");
  if (stream && afterMs !== null) retry = setTimeout(failures < 3 ? connect : ask, afterMs);
}

/** Why it keeps failing: a server that was started anew may want another token. */
async function ask() {
  const answer = await fetch(`about${location.search}`).catch(() => null);
  if (answer?.status === 403) tell("The server refused", await answer.text(), "lost", "Try now");
  else connect();
}

function result({ before, after, report, capturedMs }) {
  failures = 0;
  if ($("screen").dataset.state !== "live") untell();
  const fits = before.width === after.width && before.height === after.height;
  curtain.allow(fits && !["original", "split"].includes($("view").value));
  draw($("before"), before);
  draw($("after"), after);
  $("pictures").style.aspectRatio = `${after.width} / ${after.height}`;
  faces.show(report.faces);
  meter.add(performance.now(), capturedMs, report.server_ms);
}

function draw(canvas, bitmap) {
  if (canvas.width !== bitmap.width || canvas.height !== bitmap.height) {
    canvas.width = bitmap.width;
    canvas.height = bitmap.height;
  }
  canvas.getContext("2d", { alpha: false }).drawImage(bitmap, 0, 0);
}

setInterval(() => {
  const now = meter.read(performance.now());
  $("fps").textContent = now ? now.fps.toFixed(1) : "–";
  $("latency").textContent = now ? `${Math.round(now.latencyMs)} ms` : "–";
  $("server").textContent = now ? `${Math.round(now.serverMs)} ms` : "–";
}, 500);

// --- what is said over the picture ------------------------------------------------------------------------------

function tell(title, text, state, button = "") {
  $("screen").dataset.state = state;
  $("notice_title").textContent = title;
  $("notice_text").textContent = text;
  $("start").hidden = !button;
  $("start").textContent = button || "Start camera";
}

function untell() { $("screen").dataset.state = "live"; }

function enable(on) {
  for (const id of ["stop", "calibrate", "snapshot"]) $(id).disabled = !on && !(id === "stop" && stream);
}

// --- what a visitor sets ----------------------------------------------------------------------------------------

function wishes() {
  return { view: $("view").value, remove: $("remove").checked, landmarks: $("landmarks").checked, smooth: Number($("smooth").value) };
}

function calibrate() {
  link?.wish({ calibrate: true });
  $("connection").textContent = "calibrating: look relaxed for a second";
  setTimeout(() => { if (link) $("connection").textContent = "calibrated"; }, 1500);
}

function save() {
  $("after").toBlob((blob) => {
    const anchor = document.createElement("a");
    anchor.href = URL.createObjectURL(blob);
    anchor.download = "nakedeye.png";
    anchor.click();
    setTimeout(() => URL.revokeObjectURL(anchor.href), 1000);
  }, "image/png");
}

function pause() {
  paused = !paused;
  if (link) link.paused = paused;
  $("connection").textContent = paused ? "paused (Space goes on)" : "connected";
  if (!paused && !link && stream) connect();
}

function fullscreen() {
  if (document.fullscreenElement) document.exitFullscreen();
  else $("screen").requestFullscreen?.();
}

function nextView() {
  $("view").selectedIndex = ($("view").selectedIndex + 1) % $("view").length;
  changed();
}

function toggle(id) { $(id).checked = !$(id).checked; changed(); }

function changed() {
  // several pictures in one keep their order
  $("pictures").classList.toggle("mirrored", $("mirror").checked && !["side-by-side", "split"].includes($("view").value));
  link?.wish(wishes());
}

for (const id of ["view", "remove", "landmarks", "smooth", "mirror"]) $(id).addEventListener("input", changed);
for (const id of ["camera", "resolution"]) $(id).addEventListener("change", () => { if (stream) start(); });
$("transport").addEventListener("change", () => { if (stream) connect(); });
$("start").addEventListener("click", () => (stream ? connect() : start()));
$("stop").addEventListener("click", stop);
$("calibrate").addEventListener("click", calibrate);
$("snapshot").addEventListener("click", save);
$("fullscreen").addEventListener("click", fullscreen);
document.addEventListener("visibilitychange", () => { if (!document.hidden && stream && !link) connect(); });
bindKeys({ g: () => toggle("remove"), m: nextView, l: () => toggle("landmarks"), c: calibrate, s: save, f: fullscreen, " ": pause });

async function describe() {
  const answer = await fetch(`about${location.search}`);
  if (!answer.ok) throw new Error(await answer.text());
  const about = await answer.json();
  $("view").replaceChildren(...about.views.map((view) => new Option(view.replaceAll("-", " "), view)));
  $("transport").querySelector("[value=webrtc]").disabled = !about.webrtc;
  $("visitors").textContent = `${about.visitors} of ${about.limit}`;
  for (const [name, value] of Object.entries(about.wishes)) {
    if (typeof value === "boolean") $(name).checked = value;
    else $(name).value = value;
  }
  faces.name(about.shapes);
  changed();
}

describe().catch((why) => tell("The server does not answer", why.message, "failed"));
