// What is on the screen. One section at a time; its heading gets the focus, so that readers say it.

import { language, speak, text } from "./words.js";

const element = (id) => document.getElementById(id);
const RING = document.querySelector(".ring-done");
const STAGE = document.querySelector(".stage");

let redraw = () => {};

export function showScreen(name) {
  trouble(null);
  for (const section of document.querySelectorAll("main > section")) section.hidden = section.id !== name;
  document.body.dataset.screen = name;
  redraw = () => {};
  const heading = document.querySelector(`#${name} h1`);
  heading?.focus({ preventScroll: true });
  window.scrollTo(0, 0);
}

/** Says everything again, in the language chosen now. */
export function sayAgain() {
  speak();
  element("language").textContent = text("language");
  redraw();
}

/** A trouble below the page: a key of words.js, a sentence of the server, or null for none. */
export function trouble(message) {
  const place = element("trouble");
  place.hidden = !message;
  place.textContent = message ? text(message) ?? message : "";
}

export function showCodeScreen(phone) {
  showScreen("code");
  redraw = () => { element("code-lead").textContent = text("code.lead", { phone }); };
  redraw();
  element("one-time-code").value = "";
  element("one-time-code").focus();
}

export function showConsent(consent) {
  showScreen("consent");
  element("consent-title").textContent = consent.title;
  element("consent-text").textContent = consent.text;
}

export function showConnecting(words = "check.connecting") {
  if (document.body.dataset.screen !== "check") showScreen("check");
  setStage("connecting", "");
  ring(0);
  element("hint").textContent = element("steps").textContent = "";
  redraw = () => { element("prompt").textContent = text(words); };
  redraw();
}

/** One thing to do now, as the server asked for it. */
export function showStep(step) {
  setStage(step.stage, step.prompt);
  ring(0);
  hint(null);
  navigator.vibrate?.(60);
  redraw = () => {
    element("prompt").textContent = step.text?.[language()] ?? "";
    element("steps").textContent = text(`stage.${step.stage}`) ?? "";
  };
  redraw();
}

export function showProgress(progress) {
  ring(progress.fraction);
  hint(progress.hint);
}

/** The end: `name` is one of result.* in words.js, `mark` waiting | good | people | again. */
export function showResult(name, mark, { again = false, number = "", values = {}, body = name } = {}) {
  if (document.body.dataset.screen !== "result") showScreen("result");
  document.body.dataset.result = name;
  element("result-mark").dataset.mark = mark;
  element("again").hidden = !again;
  element("number").textContent = number;
  redraw = () => {
    element("result-title").textContent = text(`result.${name}.title`);
    element("result-text").textContent = text(`result.${body}.text`, values);
  };
  redraw();
}

function setStage(stage, prompt) {
  STAGE.dataset.stage = stage;
  STAGE.dataset.prompt = prompt;
}

function hint(name) {
  element("hint").textContent = name ? text(`hint.${name}`) ?? "" : "";
}

function ring(fraction) {
  const percent = Math.round(Math.min(1, Math.max(0, Number(fraction) || 0)) * 100);
  RING.style.strokeDashoffset = String(100 - percent);
  element("ring-name").textContent = text("check.progress", { percent });
}
