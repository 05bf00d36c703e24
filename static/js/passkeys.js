/**
 * Passkeys: `<form data-passkey="make|confirm|sign-in" data-options="…">` gets its hidden field `credential` filled by the
 * browser's own dialogue before it is sent. `data-options` names an element with JSON, or an address that answers it.
 */

const toBytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (one) => one.charCodeAt(0));
const toText = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

/** @returns {boolean} true where the browser offers passkeys: a secure page, and a browser that has them */
const able = () => window.isSecureContext && "PublicKeyCredential" in window;

const withIds = (list) => (list || []).map((one) => ({ ...one, id: toBytes(one.id) }));

/** Options of the server, whose bytes are base64url texts, as the browser wants them. */
function readable({ publicKey }) {
  const found = { ...publicKey, challenge: toBytes(publicKey.challenge) };
  if (publicKey.user) found.user = { ...publicKey.user, id: toBytes(publicKey.user.id) };
  if (publicKey.excludeCredentials) found.excludeCredentials = withIds(publicKey.excludeCredentials);
  if (publicKey.allowCredentials) found.allowCredentials = withIds(publicKey.allowCredentials);
  return found;
}

/** A credential as JSON, its bytes as base64url texts (WebAuthn level 3, 5.1.2.1). */
function sendable(credential) {
  const { response } = credential;
  const bytes = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];
  const given = bytes.filter((name) => response[name]).map((name) => [name, toText(response[name])]);
  return {
    id: credential.id,
    rawId: toText(credential.rawId),
    type: credential.type,
    authenticatorAttachment: credential.authenticatorAttachment,
    clientExtensionResults: credential.getClientExtensionResults(),
    response: Object.fromEntries(given),
  };
}

async function optionsOf(form) {
  const from = form.dataset.options;
  if (from.startsWith("#")) return JSON.parse(document.querySelector(from).textContent);
  const answer = await fetch(from, { headers: { Accept: "application/json", "X-Requested-With": "XMLHttpRequest" } });
  if (!answer.ok) throw new Error(String(answer.status));
  return (await answer.json()).request_options;
}

function say(form, wrong) {
  const line = form.querySelector("[data-passkey-error]");
  line.textContent = wrong ? line.dataset.passkeyError : "";
  line.hidden = !wrong;
}

async function ask(form) {
  say(form, false);
  try {
    const publicKey = readable(await optionsOf(form));
    const call = form.dataset.passkey === "make" ? "create" : "get";
    const credential = await navigator.credentials[call]({ publicKey });
    form.elements.credential.value = JSON.stringify(sendable(credential));
    form.submit();
  } catch {
    say(form, true);
  }
}

document.querySelectorAll("form[data-passkey]").forEach((form) => {
  // Shown from the start, so that nothing moves where it can be used.
  if (form.dataset.passkey !== "make") form.hidden = !able();
  const unable = form.querySelector("[data-passkey-unable]");
  if (unable) unable.hidden = able();
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (able()) ask(form);
  });
});
