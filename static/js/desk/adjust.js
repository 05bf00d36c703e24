/** Brightness, contrast and inversion of the picture, and the desk's own light; nothing that is saved with an answer. */

const SCHEME_KEY = "second-look.desk-scheme";

/** @param {HTMLElement} root the desk */
export function listenForAdjustments(root) {
  const panel = root.querySelector('[data-sheet="adjust"]');
  const stage = root.querySelector("[data-stage]");
  const value = (name) => panel.querySelector(`[name="${name}"]`);

  function apply() {
    const filters = [`brightness(${value("brightness").value}%)`, `contrast(${value("contrast").value}%)`];
    if (value("invert").checked) filters.push("invert(1)");
    stage.style.setProperty("--picture-filter", filters.join(" "));
  }

  function light(isLight) {
    document.documentElement.dataset.scheme = isLight ? "light" : "dark";
    localStorage.setItem(SCHEME_KEY, isLight ? "light" : "dark");
  }

  value("light").checked = localStorage.getItem(SCHEME_KEY) === "light";
  if (value("light").checked) light(true);
  panel.addEventListener("input", apply);
  value("light").addEventListener("change", (event) => light(event.target.checked));
  panel.querySelector("form").addEventListener("reset", () => requestAnimationFrame(apply));
}
