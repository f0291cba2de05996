// The session of this page: one half is kept here, of this port alone; the other is a cookie that no
// script can read.

import { Trouble, unreachable } from "./trouble.js";

const KEPT = "chordal-session";
const LINK = /^#[0-9a-f]{32}$/;

let token = null;

function recall() {
  try {
    return localStorage.getItem(KEPT);
  } catch {
    return null;
  }
}

function keep(value) {
  token = value;
  try {
    if (value === null) localStorage.removeItem(KEPT);
    else localStorage.setItem(KEPT, value);
  } catch {
    // Then the session lasts as long as this page.
  }
}

/** What every request carries. */
export function sessionHeaders() {
  return token === null ? {} : { "Chordal-Session": token };
}

/** Exchanges the link in the address, if there is one. False where the page has no session at all. */
export async function enter() {
  if (!LINK.test(location.hash)) {
    token = recall();
    return token !== null;
  }
  const link = location.hash.slice(1);
  // What opens something does not stay in the address or in the history.
  history.replaceState(null, "", "/#/ring");
  const answer = await fetch("/v1/session", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ link }),
  }).catch(() => {
    throw unreachable();
  });
  if (!answer.ok) {
    // Someone who reloads an old link may still have the session it opened.
    token = recall();
    if (token !== null) return true;
    throw new Trouble(await answer.json());
  }
  keep((await answer.json()).token);
  return true;
}

/** The session is over. */
export function forget() {
  keep(null);
}

/** Ends the session on the node, too. */
export async function signOut() {
  await fetch("/v1/session", { method: "DELETE", headers: sessionHeaders() }).catch(() => null);
  forget();
}
