// Asks before something is done that cannot be undone.

import { h } from "./dom.js";

/** Whether the person agrees. The first button refuses and has the focus. */
export function confirm({ title, words, act }) {
  return new Promise((decide) => {
    const dialog = h("dialog", { "aria-labelledby": "confirm-title" },
      h("h2", { id: "confirm-title" }, title),
      words.map((text) => h("p", { class: "wrap" }, text)),
      h("form", { method: "dialog", class: "row end" },
        h("button", { value: "no", autofocus: true }, "Cancel"),
        h("button", { value: "yes", class: "danger" }, act)));
    dialog.addEventListener("close", () => {
      dialog.remove();
      decide(dialog.returnValue === "yes");
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
