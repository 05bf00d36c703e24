/**
 * Links that work once: what stands behind `#` goes into the field with `data-from-address`, whose row is not shown then,
 * and out of the address, so that neither the history nor a screenshot keeps it.
 */

const field = document.querySelector("[data-from-address]");
const token = decodeURIComponent(location.hash.slice(1));

if (field && token) {
  field.value = token;
  history.replaceState(null, "", location.pathname);
}
if (field && field.value && !field.matches("[aria-invalid]")) field.closest(".field").hidden = true;
