// The activation page: package → one-time code → preparation → video check → result.

import * as api from "./api.js";
import { Call } from "./call.js";
import { CameraTrouble, closeCamera, openCamera, show } from "./camera.js";
import * as screens from "./screens.js";
import { toggleLanguage } from "./words.js";

const POLL_MS = 1_000;
const POLL_SLOW_AFTER = 60;
const POLLS = 300;
const POLLS_UNFINISHED = 5;
const AWAY_MS = 1_500;
const FULL_MS = 5_000;
const FULL_TRIES = 8;
/** An attempt without a connection is used again for so long: later it would leave too little time for a check. */
const UNUSED_MS = 75_000;

const element = (id) => document.getElementById(id);

let order = null;
let check = null;
/** The attempt that is asked for, or found no room yet: {key, made, profile, at}. */
let unused = null;
let stream = null;
let call = null;
/** Goes up whenever a check ends here: what an answer that comes late belongs to is over. */
let round = 0;
let awake = null;

// ---- package and code

/** The code after `#` never reaches a server's log; it is taken out of the address at once. */
function codeOfAddress() {
  const code = location.hash.slice(1);
  if (code) history.replaceState(null, "", location.pathname);
  return code;
}

async function sendPackageCode() {
  const code = element("activation-code").value.trim();
  if (!code) return screens.trouble("trouble.package_form");
  const begun = await api.beginActivation(code);
  order = begun.order_id;
  screens.showCodeScreen(begun.phone_hint);
}

async function enterCode() {
  const code = element("one-time-code").value.trim();
  if (!/^[0-9]{6}$/.test(code)) return screens.trouble("trouble.code_form");
  await api.signIn(order, code);
  const { state, msisdn } = await api.readOrder(order);
  if (state === "active") return screens.showResult("active", "good", { number: msisdn });
  screens.showScreen("prepare");
}

// ---- the check

async function start() {
  stream = await openCamera();
  screens.showConnecting();
  check = null;
  const mine = round;
  stayAwake();
  try {
    await show(element("self"), stream);
    if (mine !== round) return;
    const made = await attemptFor(element("profile").value);
    check = made.check_id;
    if (mine !== round) return void await abort();
    call = new Call(stream, made.ice_servers, heard, () => stopped("lost"));
    await call.connect((sdp) => offerWhenThereIsRoom(sdp, mine));
  } catch (error) {
    if (mine !== round) return;
    hangUp();
    screens.showScreen("prepare");
    throw error;
  }
}

/** The attempt that nothing was used up of, also where the answer with it was lost, or a new one. */
async function attemptFor(profile) {
  const again = unused && unused.profile === profile && Date.now() - unused.at < UNUSED_MS;
  if (!again) unused = { key: api.newKey(), made: null, profile, at: Date.now() };
  const asked = unused;
  asked.made ??= await api.createCheck(order, profile, asked.key);
  return asked.made;
}

function abort() {
  unused = null;
  return api.abortCheck(check);
}

/** A refusal because all places are taken uses nothing up: the same attempt asks again while it lasts. */
async function offerWhenThereIsRoom(sdp, mine) {
  for (let asked = 1; ; asked += 1) {
    try {
      const answer = await api.offer(check, sdp);
      unused = null;
      return answer;
    } catch (error) {
      if (error.code !== "checks_full") unused = null;
      if (error.code !== "checks_full" || asked === FULL_TRIES || mine !== round) throw error;
    }
    screens.showConnecting("check.full");
    await new Promise((resolve) => setTimeout(resolve, FULL_MS));
    if (mine !== round) throw new Error("ended while it waited");
  }
}

/** Nobody touches the screen during a check, and a phone that locks itself would end it. */
function stayAwake() {
  const mine = round;
  navigator.wakeLock?.request("screen").then(
    (lock) => { if (mine === round) awake = lock; else lock.release(); },
    () => {},
  );
}

function heard(message) {
  switch (message.type) {
    case "step":
      return screens.showStep(message);
    case "progress":
      return screens.showProgress(message);
    case "result":
      return finished(message.outcome);
  }
}

function finished(outcome) {
  hangUp();
  if (outcome === "expired") return tryAgain("expired");
  if (outcome === "aborted") return tryAgain("lost");
  screens.showResult("received", "waiting");
  return attempt(() => followDecision(outcome === "received" ? POLLS : POLLS_UNFINISHED));
}

/** Ends a check from this side and offers a new one. */
function stopped(why) {
  if (!call) return;
  hangUp();
  tryAgain(why);
}

function cancel() {
  call?.cancel();
  call = null;
  hangUp();
  tryAgain("cancelled");
}

function hangUp() {
  round += 1;
  awake?.release();
  awake = null;
  call?.close();
  call = null;
  closeCamera(stream);
  stream = null;
  element("self").srcObject = null;
}

async function tryAgain(why) {
  screens.showResult(why, "again", { again: true });
  if (check) await abort().catch(() => {});
}

/** Asks until it is decided, at most `most` times. Nothing that is told here says why. */
async function followDecision(most) {
  for (let asked = 0; asked < most; asked += 1) {
    const now = await api.readCheck(check).catch((error) => {
      if (error.code !== "network") throw error;
      return { standing: "deciding" };
    });
    switch (now.standing) {
      case "active": {
        const { msisdn } = await api.readOrder(order);
        return screens.showResult("active", "good", { number: msisdn });
      }
      case "looked_at":
        return screens.showResult("looked_at", "people");
      case "awaiting_delivery":
        return screens.showResult("awaiting_delivery", "good");
      case "closed":
        return screens.showResult("closed", "people");
      case "try_again":
        return offerAnother(now.attempts_left);
    }
    if (asked === POLL_SLOW_AFTER) screens.showResult("slow", "waiting");
    await new Promise((resolve) => setTimeout(resolve, asked < POLL_SLOW_AFTER ? POLL_MS : 5 * POLL_MS));
  }
  if (most === POLLS_UNFINISHED) offerAnother((await api.readCheck(check)).attempts_left);
}

function offerAnother(left) {
  const body = left > 0 ? "try_again" : "none_left";
  screens.showResult("try_again", "again", { again: left > 0, values: { left }, body });
}

// ---- consent, troubles

async function askConsent() {
  const { consents } = await api.readConsents();
  const face = consents.find((each) => each.kind === "face_recognition");
  screens.showConsent(face);
  element("agree").onclick = () => attempt(async () => {
    await api.giveConsent(order, face.kind, face.version);
    screens.showScreen("prepare");
  });
}

async function explain(error) {
  if (error instanceof CameraTrouble) return screens.trouble(error.message);
  if (!(error instanceof api.Problem)) {
    screens.trouble("trouble.browser");
    throw error;
  }
  switch (error.code) {
    case "network":
      return screens.trouble("trouble.network");
    case "consent_wanted":
      return attempt(askConsent);
    case "not_signed_in":
      screens.showScreen("package");
      return screens.trouble("trouble.signed_out");
    default:
      return screens.trouble(error.detail);
  }
}

/** Does one thing with the buttons held, and explains what went wrong. */
async function attempt(work) {
  const buttons = [...document.querySelectorAll("main button:not(#cancel)")];
  for (const button of buttons) button.disabled = true;
  screens.trouble(null);
  try {
    await work();
  } catch (error) {
    await explain(error);
  } finally {
    for (const button of buttons) button.disabled = false;
  }
}

function onSubmit(section, work) {
  document.querySelector(`#${section} form`).addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(work);
  });
}

// ---- beginning

onSubmit("package", sendPackageCode);
onSubmit("code", enterCode);
element("send-again").addEventListener("click", () => attempt(async () => {
  const again = await api.sendCode(order);
  screens.showCodeScreen(again.phone_hint);
}));
element("start").addEventListener("click", () => attempt(start));
element("again").addEventListener("click", () => screens.showScreen("prepare"));
element("cancel").addEventListener("click", cancel);
element("language").addEventListener("click", () => {
  toggleLanguage();
  screens.sayAgain();
});

// A camera behind a locked screen or a phone call turns black and stays so; better a clear end than a dark check.
let away = null;
document.addEventListener("visibilitychange", () => {
  clearTimeout(away);
  if (document.hidden && call) away = setTimeout(() => stopped("away"), AWAY_MS);
});
let left = false;
window.addEventListener("pagehide", () => {
  left = document.body.dataset.screen === "check";
  if (!left) return;
  call?.cancel();
  call = null;
  hangUp();
});
// A page that comes back out of the browser's memory would show a check that is over.
window.addEventListener("pageshow", (event) => { if (event.persisted && left) tryAgain("away"); });

element("activation-code").value = codeOfAddress();
screens.sayAgain();
screens.showScreen("package");
