// Names by folder: the ring knows only whole names, so pages of them are folded at each slash, and
// what lies deeper is skipped.

import { ask } from "./api.js";

const PAGE = 500;
const ENTRIES = 500;
const LAST = "\u{10FFFF}";

/** What lies in a folder from a place on: folders, files, where to go on, and who is silent. */
export async function entries(space, folder, search, after = null) {
  const prefix = folder + search;
  const found = { folders: [], files: [], next: after, missing: [] };
  do {
    const page = await ask("/v1/list", { space, prefix, after: found.next, limit: PAGE });
    found.missing = page.missing;
    found.next = page.next;
    for (const file of page.files) take(found, file, space, folder);
    const last = page.files.at(-1);
    const deep = last && folderOf(pathOf(last.name, space), folder);
    if (page.next !== null && deep !== null && deep !== undefined) found.next = deep + LAST;
  } while (found.next !== null && found.folders.length + found.files.length < ENTRIES);
  return found;
}

function take(found, file, space, folder) {
  const path = pathOf(file.name, space);
  const deep = folderOf(path, folder);
  if (deep === null) found.files.push({ ...file, path, title: path.slice(folder.length) });
  else if (found.folders.at(-1)?.path !== deep) found.folders.push({ path: deep, title: deep.slice(folder.length) });
}

/** The folder within this one that a path lies in, with its slash; nothing for one right here. */
function folderOf(path, folder) {
  const slash = path.indexOf("/", folder.length);
  return slash < 0 ? null : path.slice(0, slash + 1);
}

/** The path in a name: names of other spaces than `main` begin with theirs. */
export function pathOf(name, space) {
  return name.startsWith(`${space}:`) ? name.slice(space.length + 1) : name;
}
