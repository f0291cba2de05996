// Where things lie on the drawing. Angles are parts of the circle, 0 to 1, from the top clockwise.

/** The part of the circle that a node without a share takes, and what all of them take at most. */
const NOTCH = 0.012;
const NOTCHES_MAX = 0.12;

/** A point on a circle. */
export function point(centre, radius, part) {
  const angle = part * 2 * Math.PI;
  return [centre.x + radius * Math.sin(angle), centre.y - radius * Math.cos(angle)];
}

function at([x, y]) {
  return `${x.toFixed(2)} ${y.toFixed(2)}`;
}

/** The outline of a band from one part of the circle to another. */
export function band(centre, inner, outer, from, to) {
  const length = to - from;
  if (length > 0.9999) {
    const half = from + 0.5;
    return `${band(centre, inner, outer, from, half)} ${band(centre, inner, outer, half, from + 0.9998)}`;
  }
  const large = length > 0.5 ? 1 : 0;
  const corners = [
    point(centre, outer, from),
    point(centre, outer, to),
    point(centre, inner, to),
    point(centre, inner, from),
  ].map(at);
  return `M${corners[0]}A${outer} ${outer} 0 ${large} 1 ${corners[1]}L${corners[2]}A${inner} ${inner} 0 ${large} 0 ${corners[3]}Z`;
}

/** A line along the circle. */
export function curve(centre, radius, from, to) {
  const length = to - from;
  if (length > 0.9999) {
    const half = from + 0.5;
    return `${curve(centre, radius, from, half)}${curve(centre, radius, half, from + 0.9999)}`;
  }
  const large = length > 0.5 ? 1 : 0;
  return `M${at(point(centre, radius, from))}A${radius} ${radius} 0 ${large} 1 ${at(point(centre, radius, to))}`;
}

/** A chord from one place of the circle to another, bent towards the centre: neighbours stay apart. */
export function chord(centre, [radiusFrom, from], [radiusTo, to], bend = 0.75) {
  const gap = Math.abs(from - to);
  const apart = Math.min(gap, 1 - gap) * 2;
  const pull = 1 - bend * (0.35 + 0.65 * apart);
  const one = point(centre, radiusFrom * pull, from);
  const other = point(centre, radiusTo * pull, to);
  return `M${at(point(centre, radiusFrom, from))}C${at(one)} ${at(other)} ${at(point(centre, radiusTo, to))}`;
}

/** A short line across the circle. */
export function tick(centre, inner, outer, part) {
  return `M${at(point(centre, inner, part))}L${at(point(centre, outer, part))}`;
}

/** Gives every node its arc: as long as its share of the ring, in the order of the ids. */
export function layout(nodes) {
  const total = nodes.reduce((sum, node) => sum + node.share, 0);
  const without = nodes.filter((node) => !(node.share > 0)).length;
  const notch = without === 0 ? 0 : Math.min(NOTCH, NOTCHES_MAX / without, 1 / nodes.length);
  const scale = total > 0 ? (1 - notch * without) / total : 0;
  const places = new Map();
  let from = 0;
  for (const node of nodes) {
    const length = node.share > 0 ? node.share * scale : notch;
    places.set(node.id, { node, from, to: from + length, mid: from + length / 2 });
    from += length;
  }
  return places;
}

/** All tokens in the order of the ring, each with its node and the arc of keys before it. */
export function arcsOfKeys(nodes) {
  const tokens = nodes.flatMap((node) => node.tokens.map((token) => ({ node, at: token.at })));
  tokens.sort((one, other) => one.at - other.at);
  return tokens.map((token, index) => {
    const before = tokens[(index + tokens.length - 1) % tokens.length].at;
    const after = before < token.at || tokens.length === 1 && before < token.at ? before : before - 1;
    return { ...token, after };
  });
}

/** Nodes with the shares that their tokens make. */
export function shared(nodes) {
  const shares = new Map();
  for (const arc of arcsOfKeys(nodes)) {
    shares.set(arc.node.id, (shares.get(arc.node.id) ?? 0) + (arc.at - arc.after));
  }
  return nodes.map((node) => ({ ...node, share: shares.get(node.id) ?? 0 }));
}
