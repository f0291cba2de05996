// How sizes, counts, times and nodes are written for people.

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** A size: `8.0 MiB`. */
export function size(bytes) {
  if (bytes === null || bytes === undefined) return "?";
  let unit = 0;
  let value = bytes;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

/** `1 node`, `5 nodes`, `3 copies`. */
export function count(number, word) {
  const plural = word.endsWith("y") ? `${word.slice(0, -1)}ies` : `${word}s`;
  return `${number.toLocaleString("en")} ${number === 1 ? word : plural}`;
}

/** A part of one as per cent. */
export function percent(part) {
  const value = part * 100;
  return `${value.toFixed(value >= 10 || value === 0 ? 0 : 1)} %`;
}

/** A length of time, in its two largest units. */
export function span(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const units = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const parts = [];
  let rest = whole;
  for (const [unit, name] of units) {
    const many = Math.floor(rest / unit);
    rest -= many * unit;
    if (many > 0) parts.push(`${many} ${name}`);
  }
  return parts.slice(0, 2).join(" ") || "0 s";
}

/** How long ago a moment was. */
export function ago(text, now = Date.now()) {
  const seconds = (now - Date.parse(text)) / 1000;
  return seconds < 5 ? "just now" : `${span(seconds)} ago`;
}

/** A moment, by the clock of whoever looks. */
export function moment(value) {
  const date = new Date(value);
  const isToday = date.toDateString() === new Date().toDateString();
  const time = date.toLocaleTimeString("en-GB");
  if (isToday) return time;
  return `${date.toLocaleDateString("en-CA")} ${time}`;
}

/** A moment of the last day. */
export function dayTime(value) {
  const date = new Date(value);
  const isToday = date.toDateString() === new Date().toDateString();
  const day = isToday ? "" : `${date.toLocaleDateString("en", { weekday: "short" })} `;
  return day + date.toLocaleTimeString("en-GB");
}

/** The first digits of an id. */
export function short(id) {
  return id.slice(0, 8);
}

/** How nodes are called: by what differs in their addresses. */
export function namer(nodes) {
  const split = (addr) => {
    const at = addr.lastIndexOf(":");
    return [addr.slice(0, at), addr.slice(at + 1)];
  };
  const pairs = nodes.map((node) => split(node.addr));
  const hosts = new Set(pairs.map(([host]) => host));
  const ports = new Set(pairs.map(([, port]) => port));
  return (addr) => {
    if (!addr) return "?";
    const [host, port] = split(addr);
    if (hosts.size <= 1 && nodes.length > 1) return `:${port}`;
    if (ports.size <= 1 && nodes.length > 1) return host;
    return addr;
  };
}

const STATES = {
  alive: "alive",
  suspect: "does not answer",
  leaving: "leaving",
  gone: "given up",
  left: "left",
};

/** A node's state in words. */
export function stateWords(state) {
  return STATES[state] ?? state;
}

/** What happened to a node, in words. */
export function happened(what) {
  return {
    appeared: "is on the ring",
    suspected: "does not answer",
    recovered: "answers again",
    gone: "was given up",
    left: "left the ring",
  }[what] ?? what;
}
