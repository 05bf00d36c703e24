/** Tabs that do not fit are scrolled so that the current one is seen. */

/** Bring the current tab of each row into view, without moving the page. */
export function showCurrentTabs() {
  for (const tabs of document.querySelectorAll("[data-tabs]")) {
    const current = tabs.querySelector("[aria-current]");
    if (current) tabs.scrollLeft = current.offsetLeft - (tabs.clientWidth - current.offsetWidth) / 2;
  }
}
