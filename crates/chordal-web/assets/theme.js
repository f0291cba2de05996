// The colours that were chosen here before, set before anything is drawn.
(() => {
  "use strict";
  let chosen = null;
  try {
    chosen = localStorage.getItem("chordal-theme");
  } catch {
    // A browser that keeps nothing follows the system's colours.
  }
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
})();
