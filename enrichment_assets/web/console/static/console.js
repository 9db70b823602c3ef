// What the console's pages do beside links and forms: progress that goes on, files with progress, keys for reviews.
"use strict";

// What was just done is said once: whoever reloads the page, or comes back to it, is not told again.
if (new URLSearchParams(location.search).has("said")) {
  const place = new URL(location.href);
  place.searchParams.delete("said");
  history.replaceState(history.state, "", place);
}

// Progress: a part of the page is put in place of the old one whenever the server sends another.
for (const part of document.querySelectorAll("[data-live]")) {
  const source = new EventSource(part.dataset.live);
  source.addEventListener("part", (event) => {
    part.innerHTML = event.data; // rendered and escaped by the same template that made the page
  });
  source.addEventListener("over", async () => {
    source.close();
    // The rest of the page is of before: what can be done now takes its place, unless somebody fills something in.
    if (part.dataset.over !== "anew" || document.activeElement?.closest("input, textarea, select")) return;
    const answer = await fetch(location.href);
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    document.querySelector("main").replaceChildren(...page.querySelector("main").childNodes);
  });
}

// A file: sent as it is, with how much of it has gone.
for (const form of document.querySelectorAll("form[data-upload]")) {
  const input = form.querySelector("input[type=file]");
  const bar = form.querySelector("progress");
  const status = form.querySelector("[data-status]");
  const drop = form.querySelector(".drop");
  for (const name of ["dragover", "dragleave", "drop"]) {
    drop.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.toggle("over", name === "dragover");
      if (name === "drop" && event.dataTransfer.files.length === 1) input.files = event.dataTransfer.files;
    });
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const file = input.files[0];
    const query = new URLSearchParams({ name: file.name });
    for (const field of form.querySelectorAll("[name]")) if (field.value) query.set(field.name, field.value);
    const request = new XMLHttpRequest();
    request.open("POST", `${form.dataset.upload}?${query}`);
    request.setRequestHeader("content-type", "application/octet-stream");
    request.upload.addEventListener("progress", (sent) => {
      bar.hidden = false;
      bar.value = sent.loaded / sent.total;
      status.textContent = sent.loaded < sent.total ? `${Math.floor((100 * sent.loaded) / sent.total)} % sent` : "Sent; its rows are counted.";
    });
    request.addEventListener("load", () => {
      if (request.status < 400) {
        location.assign(request.responseURL);
        return;
      }
      const answer = new DOMParser().parseFromString(request.responseText, "text/html");
      status.textContent = answer.querySelector("[role=alert]")?.textContent ?? `The server answered ${request.status}.`;
      status.className = "fault";
    });
    request.addEventListener("error", () => {
      status.textContent = "The connection was lost. Sending it again does no harm: the same file is recognised.";
      status.className = "fault";
    });
    request.send(file);
  });
}

// What cannot be undone is asked for once more.
document.addEventListener("click", (event) => {
  const asked = event.target.closest("[data-confirm]");
  if (asked && !window.confirm(asked.dataset.confirm)) event.preventDefault();
});

// A grid: one box ticks all rows that are shown.
for (const box of document.querySelectorAll("[data-tick-all]")) {
  box.hidden = false;
  box.addEventListener("change", () => {
    for (const one of document.querySelectorAll(`input[name="${box.dataset.tickAll}"]`)) one.checked = box.checked;
  });
}

// The builder of pipelines: a step is dragged to another place, and the form is sent as its buttons send it.
for (const list of document.querySelectorAll("[data-builder] .steps")) {
  let dragged = null;
  list.addEventListener("dragstart", (event) => {
    dragged = event.target.closest("li");
  });
  list.addEventListener("dragover", (event) => {
    event.preventDefault();
    for (const one of list.children) one.classList.toggle("over", one === event.target.closest("li") && one !== dragged);
  });
  list.addEventListener("drop", (event) => {
    event.preventDefault();
    const place = event.target.closest("li");
    if (!dragged || !place || place === dragged) return;
    list.insertBefore(dragged, place);
    list.closest("form").requestSubmit();
  });
}

// Reviews: j and k go through the drafts, a approves, r rejects, e edits.
const review = document.querySelector("[data-review]");
if (review) {
  const edit = () => {
    for (const field of review.querySelectorAll("textarea")) field.readOnly = false;
    review.querySelector("[data-save]").hidden = false;
    review.querySelector("textarea").focus();
  };
  review.querySelector("[data-edit]")?.addEventListener("click", edit);
  for (const button of review.querySelectorAll("[data-needs]")) {
    button.addEventListener("click", (event) => {
      const field = review.querySelector(`[name=${button.dataset.needs}]`);
      if (field.value.trim()) return;
      event.preventDefault();
      field.focus();
      field.setCustomValidity("Say why: a rejection has a reason.");
      field.reportValidity();
      field.addEventListener("input", () => field.setCustomValidity(""), { once: true });
    });
  }
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
    if (event.key === "j" || event.key === "k") {
      const links = [...review.querySelectorAll("[data-draft]")];
      const place = links.findIndex((link) => link.hasAttribute("aria-current"));
      links[place + (event.key === "j" ? 1 : -1)]?.click();
      return;
    }
    const button = review.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    if (button) {
      event.preventDefault();
      button.click();
    }
  });
}
