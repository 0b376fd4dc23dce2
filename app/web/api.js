// Calls to the server. The token lives here, in memory only.

import { language } from "./words.js";

const TIMEOUT_MS = 20_000;

let token = null;

/** A problem as the server tells it (RFC 9457), or `network` where there was no answer. */
export class Problem extends Error {
  constructor(code, detail) {
    super(code);
    this.code = code;
    this.detail = detail;
  }
}

function randomKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function call(method, path, body) {
  const headers = { "Accept-Language": language() };
  if (token) headers.Authorization = `Bearer ${token}`;
  if (method === "POST") {
    headers["Idempotency-Key"] = randomKey();
    headers["Content-Type"] = "application/json";
  }
  let response, answer;
  try {
    response = await fetch(path, {
      method,
      headers,
      body: method === "POST" ? JSON.stringify(body ?? {}) : undefined,
      cache: "no-store",
      credentials: "omit",
      signal: AbortSignal.timeout?.(TIMEOUT_MS),
    });
    answer = await response.json();
  } catch {
    throw new Problem("network", null);
  }
  if (!response.ok) {
    if (response.status === 401) token = null;
    throw new Problem(answer.code ?? "network", answer.detail);
  }
  return answer;
}

export const beginActivation = (code) => call("POST", "/v1/activations", { activation_code: code });
export const sendCode = (order) => call("POST", `/v1/orders/${order}/codes`);
export const readOrder = (order) => call("GET", `/v1/orders/${order}`);
export const readConsents = () => call("GET", "/v1/consents");
export const createCheck = (order, profile) => call("POST", `/v1/orders/${order}/checks`, { profile });
export const offer = (check, sdp) => call("POST", `/v1/checks/${check}/offer`, { type: "offer", sdp });
export const readCheck = (check) => call("GET", `/v1/checks/${check}`);
export const abortCheck = (check) => call("POST", `/v1/checks/${check}/abort`);
export const giveConsent = (order, kind, version) =>
  call("POST", `/v1/orders/${order}/consents`, { kind, version, given: true });

/** Exchanges the one-time code for a token and keeps it. */
export async function signIn(order, code) {
  token = (await call("POST", `/v1/orders/${order}/token`, { code })).access_token;
}
