/** `<button data-copy="#id" data-copied="Copied">` puts the text of an element on the clipboard and says so. */

const SAY_MS = 2000;

async function copy(button) {
  const text = document.querySelector(button.dataset.copy).textContent.trim();
  const label = button.querySelector("[data-copy-label]") || button;
  const before = label.textContent;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    getSelection().selectAllChildren(document.querySelector(button.dataset.copy));
    return;
  }
  label.textContent = button.dataset.copied;
  setTimeout(() => { label.textContent = before; }, SAY_MS);
}

/** Start listening. */
export function listenForCopies() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (button && button.dataset.copied) copy(button);
  });
}
