// @ts-check
/** Uploading a video: what is too long or too large is said before it travels; then how much of it has been sent. */

import { gettext } from "../i18n.js";

const form = /** @type {HTMLFormElement | null} */ (document.querySelector("[data-video]"));

/** How long a video is, in seconds; 0 where the browser cannot tell. @param {File} file @returns {Promise<number>} */
function secondsOf(file) {
  const video = document.createElement("video"), address = URL.createObjectURL(file);
  return new Promise((done) => {
    const tell = (/** @type {number} */ seconds) => {
      URL.revokeObjectURL(address);
      done(Number.isFinite(seconds) ? seconds : 0);
    };
    video.onloadedmetadata = () => tell(video.duration);
    video.onerror = () => tell(0);
    setTimeout(() => tell(0), 5000); // some never say
    video.preload = "metadata";
    video.src = address;
  });
}

/**
 * @param {HTMLFormElement} form @param {File} file @param {(share: number) => void} sent
 * @returns {Promise<{url: string}>}
 */
function send(form, file, sent) {
  const request = new XMLHttpRequest(); // fetch does not tell how much of a body has left
  const body = new FormData(form);
  body.set("video", file, "video");
  request.open("POST", form.action);
  request.setRequestHeader("Accept", "application/json");
  request.responseType = "json";
  request.timeout = 1_800_000; // a large video over a bad line
  request.upload.onprogress = (event) => sent(event.lengthComputable ? event.loaded / event.total : 0);
  return new Promise((done, fail) => {
    const lost = () => fail(new Error(gettext("The video did not reach the server. Try again in a moment.")));
    request.onerror = request.ontimeout = lost;
    request.onload = () => {
      if (request.status === 201 && request.response?.url) done(request.response);
      else if (request.response?.detail) fail(new Error(request.response.detail));
      else lost();
    };
    request.send(body);
  });
}

/** @param {HTMLFormElement} form */
function listen(form) {
  const input = /** @type {HTMLInputElement} */ (form.elements.namedItem("video"));
  const state = /** @type {HTMLElement} */ (form.querySelector(".drop-state"));
  const bar = /** @type {HTMLProgressElement} */ (form.querySelector("[data-sent]"));
  const most = { bytes: Number(form.dataset.bytes), seconds: Number(form.dataset.seconds) };

  /** @param {File} file */
  const choose = async (file) => {
    if (form.classList.contains("busy")) return;
    form.classList.add("busy");
    try {
      const megabytes = Math.ceil(file.size / 2 ** 20);
      if (file.size > most.bytes) throw new Error(gettext("The file is %(size)s MB. At most %(most)s MB can be sent: cut a piece out of it.", { size: megabytes, most: most.bytes / 2 ** 20 }));
      const seconds = await secondsOf(file);
      if (seconds > most.seconds + 0.5) throw new Error(gettext("The video is %(length)s s long. At most %(most)s s can be dreamed: cut a piece out of it.", { length: Math.round(seconds), most: most.seconds }));
      bar.hidden = false;
      const { url } = await send(form, file, (share) => {
        bar.value = share;
        state.textContent = share < 1 ? gettext("Sending your video: %(n)s %", { n: Math.round(100 * share) }) : gettext("The video is being read …");
        if (share >= 1) bar.removeAttribute("value");
      });
      location.assign(url);
    } catch (error) {
      state.textContent = error instanceof Error ? error.message : String(error);
      bar.hidden = true;
      input.value = "";
      form.classList.remove("busy");
    }
  };

  input.addEventListener("change", () => input.files?.[0] && choose(input.files[0]));
  document.addEventListener("video", (event) => choose(/** @type {CustomEvent<File>} */ (event).detail)); // dropped or pasted elsewhere
}

if (form) listen(form);
