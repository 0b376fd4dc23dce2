// Calls to the server. The tokens live here, in memory only; the device's secret is a cookie no script can read,
// but where cookies are off (some WebViews) it lives here as well.

import { language } from "./words.js";

const TIMEOUT_MS = 20_000;

const RENEW_BEFORE_MS = 60_000;

let tokens = null;
let renewing = null;

/** A problem as the server tells it (RFC 9457), or `network` where there was no answer. */
export class Problem extends Error {
  constructor(code, detail) {
    super(code);
    this.code = code;
    this.detail = detail;
  }
}

/** An Idempotency-Key for one wish; sent again with it, the wish comes true once. */
export function newKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function newDevice() {
  const text = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32))));
  return text.replaceAll("+", "-").replaceAll("/", "_").replace("=", "");
}

const device = navigator.cookieEnabled ? null : newDevice();

/** Keeps what a sign-in or a refresh gave. */
function keep(made) {
  tokens = {
    access: made.access_token,
    refresh: made.refresh_token,
    renewAt: Date.now() + made.expires_in * 1000 - RENEW_BEFORE_MS,
  };
}

/** Only the refusal itself ends the sign-in: after a pause, a crowd or a fault the token is good again. */
function signedOut(error) {
  if (error.code !== "refresh_refused") throw error;
  tokens = null;
  throw new Problem("not_signed_in", error.detail);
}

/** A new token before the old one ends. A refresh token is good once: calls at the same moment share one. */
function renewed() {
  if (!tokens || Date.now() < tokens.renewAt) return Promise.resolve();
  renewing ??= send("POST", "/v1/tokens/refresh", { refresh_token: tokens.refresh })
    .then(keep, signedOut)
    .finally(() => { renewing = null; });
  return renewing;
}

/** With the token, and once more with a new one where the clocks of both ends do not agree. */
async function call(method, path, body, key) {
  await renewed();
  try {
    return await send(method, path, body, tokens?.access, key);
  } catch (error) {
    if (error.code !== "not_signed_in" || !tokens) throw error;
    tokens.renewAt = 0;
    await renewed();
    return send(method, path, body, tokens?.access, key);
  }
}

async function send(method, path, body, token, key = newKey()) {
  const headers = { "Accept-Language": language() };
  if (token) headers.Authorization = `Bearer ${token}`;
  if (device) headers["Kaika-Device"] = device;
  if (method === "POST") {
    headers["Idempotency-Key"] = key;
    headers["Content-Type"] = "application/json";
  }
  let response, answer;
  try {
    response = await fetch(path, {
      method,
      headers,
      body: method === "POST" ? JSON.stringify(body ?? {}) : undefined,
      cache: "no-store",
      credentials: "same-origin",
      signal: AbortSignal.timeout?.(TIMEOUT_MS),
    });
    answer = await response.json();
  } catch {
    throw new Problem("network", null);
  }
  if (!response.ok) {
    throw new Problem(answer.code ?? "network", answer.detail);
  }
  return answer;
}

export const beginActivation = (code) => send("POST", "/v1/activations", { activation_code: code });
export const sendCode = (order) => send("POST", `/v1/orders/${order}/codes`);
export const readOrder = (order) => call("GET", `/v1/orders/${order}`);
export const readConsents = () => send("GET", "/v1/consents");
export const createCheck = (order, profile, key) => call("POST", `/v1/orders/${order}/checks`, { profile }, key);
export const offer = (check, sdp) => call("POST", `/v1/checks/${check}/offer`, { type: "offer", sdp });
export const readCheck = (check) => call("GET", `/v1/checks/${check}`);
export const abortCheck = (check) => call("POST", `/v1/checks/${check}/abort`);
export const giveConsent = (order, kind, version) =>
  call("POST", `/v1/orders/${order}/consents`, { kind, version, given: true });

/** Exchanges the one-time code for a token and keeps it. */
export async function signIn(order, code) {
  keep(await send("POST", `/v1/orders/${order}/token`, { code }));
}
