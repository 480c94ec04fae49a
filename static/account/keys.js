// @ts-check
/**
 * Passkeys and security keys: a form marked with `data-key` is sent with what the key answered.
 *
 * `data-key="create"` and `"ask"` find the question in the page (#key-options); an address is asked for it first, which
 * is how signing in begins. Bytes travel as base64url, both ways.
 */

/** @param {string} text */
const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));

/** @param {ArrayBuffer | null | undefined} buffer */
function text(buffer) {
  if (!buffer) return undefined;
  const letters = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join("");
  return btoa(letters).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

/** @param {any[] | undefined} known */
const withBytes = (known) => known?.map((one) => ({ ...one, id: bytes(one.id) }));

/** The server's question as the browser wants it. @param {any} options */
function question(options) {
  const key = { ...options, challenge: bytes(options.challenge) };
  if (options.user) key.user = { ...options.user, id: bytes(options.user.id) };
  if (options.allowCredentials) key.allowCredentials = withBytes(options.allowCredentials);
  if (options.excludeCredentials) key.excludeCredentials = withBytes(options.excludeCredentials);
  return key;
}

/** What the key said, as the server wants it. @param {PublicKeyCredential} credential */
function answer(credential) {
  const response = /** @type {any} */ (credential.response);
  return {
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    authenticatorAttachment: credential.authenticatorAttachment ?? undefined,
    clientExtensionResults: credential.getClientExtensionResults(),
    response: {
      clientDataJSON: text(response.clientDataJSON),
      attestationObject: text(response.attestationObject),
      transports: response.getTransports?.(),
      authenticatorData: text(response.authenticatorData),
      signature: text(response.signature),
      userHandle: text(response.userHandle),
    },
  };
}

/** @param {HTMLFormElement} form @returns {Promise<any>} */
async function options(form) {
  const from = form.dataset.key ?? "";
  if (from === "create" || from === "ask") return JSON.parse(document.getElementById("key-options")?.textContent ?? "{}");
  const response = await fetch(from, { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(30_000) });
  if (!response.ok) throw new Error(String(response.status));
  return response.json();
}

/** @param {HTMLFormElement} form */
async function ask(form) {
  const { creation_options: creation, request_options: request } = await options(form);
  if (!creation) return navigator.credentials.get({ publicKey: question(request.publicKey) });
  const wanted = question(creation.publicKey);
  const alone = /** @type {HTMLInputElement | null} */ (form.querySelector("[name=passwordless]"));
  if (alone) {
    // A key that signs in alone keeps the account's name itself, and makes sure who holds it.
    wanted.authenticatorSelection = {
      ...wanted.authenticatorSelection,
      residentKey: alone.checked ? "required" : "discouraged",
      requireResidentKey: alone.checked,
      userVerification: alone.checked ? "required" : "preferred",
    };
  }
  return navigator.credentials.create({ publicKey: wanted });
}

/** @param {HTMLFormElement} form @param {unknown} error */
function trouble(form, error) {
  const line = /** @type {HTMLElement | null} */ (form.querySelector("[data-key-trouble]"));
  if (!line) return;
  const words = line.dataset;
  const name = error instanceof Error ? error.name : "";
  line.textContent =
    (name === "NotAllowedError" && words.cancelled) || (name === "InvalidStateError" && words.known) || words.failed || "";
  line.hidden = false;
}

for (const form of /** @type {NodeListOf<HTMLFormElement>} */ (document.querySelectorAll("form[data-key]"))) {
  const field = /** @type {HTMLInputElement} */ (form.elements.namedItem("credential"));
  let answered = false;
  form.addEventListener("submit", async (event) => {
    if (answered) return; // this is the form going out
    event.preventDefault();
    try {
      const credential = /** @type {PublicKeyCredential} */ (await ask(form));
      field.value = JSON.stringify(answer(credential));
      answered = true;
      form.requestSubmit();
    } catch (error) {
      trouble(form, error);
    }
  });
}

// Only where there are keys at all: elsewhere the button would promise something.
if (window.PublicKeyCredential) {
  for (const shown of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-needs-key]"))) shown.hidden = false;
}
