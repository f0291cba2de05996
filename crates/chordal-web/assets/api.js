// Asks the node. Every failure is a trouble in the node's words.

import { forget, sessionHeaders } from "./session.js";
import { Trouble, unreachable } from "./trouble.js";

let onSessionOver = () => {};

/** Says what to do when the node knows this page no more. */
export function whenSessionIsOver(act) {
  onSessionOver = act;
}

/** An address of the API with its parameters. */
export function address(path, parameters) {
  const given = Object.entries(parameters ?? {}).filter(([, value]) => value !== null && value !== undefined);
  const query = given.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&");
  return query ? `${path}?${query}` : path;
}

/** The trouble that an answer is. */
export async function troubleOf(answer) {
  const problem = await answer.json().catch(() => ({
    code: "failed",
    message: `the node answered ${answer.status}`,
    still_true: "",
    to_do: "Look at the node's log.",
  }));
  return sessionChecked(new Trouble(problem));
}

/** Tells the page where a trouble means that it has no session any more. */
export function sessionChecked(trouble) {
  if (trouble.code === "unauthorised") {
    forget();
    onSessionOver(trouble);
  }
  return trouble;
}

/** Begins a request; throws a trouble unless it succeeds. */
export async function open(path, { method = "GET", parameters, body, signal } = {}) {
  const headers = { ...sessionHeaders() };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(address(path, parameters), {
      method,
      headers,
      signal,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw unreachable();
  }
  if (!answer.ok) throw await troubleOf(answer);
  return answer;
}

/** Asks and reads the answer. */
export async function ask(path, parameters, options = {}) {
  const answer = await open(path, { ...options, parameters });
  return answer.json();
}
