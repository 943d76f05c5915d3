// What every page needs of a script: signing in by a link, the form of a run, recording.
// Whatever comes from elsewhere is set as text, never as markup.

for (const form of document.querySelectorAll("[data-signin]")) {
  const ticket = location.hash.slice(1);
  if (ticket) {
    history.replaceState(null, "", location.pathname);
    form.elements.ticket.disabled = false;
    form.elements.ticket.value = ticket;
    form.elements.key.disabled = true;
    form.submit();
  }
}

for (const one of document.querySelectorAll("[data-submits]")) {
  one.addEventListener("change", () => one.form.requestSubmit());
}

for (const box of document.querySelectorAll("[data-instead]")) {
  const file = document.getElementById(box.dataset.instead);
  box.addEventListener("change", () => { if (box.checked) file.value = ""; });
  file.addEventListener("change", () => { if (file.files.length) box.checked = false; });
}

for (const form of document.querySelectorAll("[data-run]")) {
  form.noValidate = true; // what is wrong is told beside the field, by the one who knows all of it
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button.main");
    const told = form.querySelector("[data-told]");
    button.disabled = true;
    told.textContent = "";
    try {
      const answer = await fetch(location.pathname, {
        method: "POST", body: new FormData(form), headers: { accept: "application/json" },
      });
      const said = await answer.json();
      if (answer.ok) return location.assign(said.location);
      show(form, said.errors ?? {});
      told.textContent = said.detail ?? "";
    } catch {
      told.textContent = "AIMA does not answer. Is it still running?";
    }
    button.disabled = false;
  });
}

function show(form, errors) {
  let first;
  for (const place of form.querySelectorAll("[data-wrong]")) {
    const wrong = errors[place.dataset.wrong] ?? "";
    const field = form.elements[place.dataset.wrong];
    place.textContent = wrong;
    if (wrong) {
      field.setAttribute("aria-invalid", "true");
      for (let up = place.closest("details"); up; up = up.parentElement.closest("details")) up.open = true;
      first ??= field;
    } else field.removeAttribute("aria-invalid");
  }
  first?.focus();
}

const ENDINGS = { "audio/webm": "weba", "audio/ogg": "oga", "audio/mp4": "m4a" };

if (navigator.mediaDevices && window.MediaRecorder) {
  for (const field of document.querySelectorAll("[data-records]")) offer(field);
}

function offer(field) {
  const file = field.querySelector("input[type=file]");
  const row = made("div", "recorder");
  const button = made("button", "", "Record");
  const told = made("span", "hint");
  const heard = made("audio", "");
  button.type = "button";
  button.setAttribute("aria-pressed", "false");
  told.setAttribute("role", "status");
  heard.controls = true;
  heard.hidden = true;
  row.append(button, told, heard);
  file.after(row);
  let recorder;
  button.addEventListener("click", async () => {
    if (recorder?.state === "recording") return recorder.stop();
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    } catch {
      told.textContent = "The browser gives no microphone.";
      return;
    }
    const parts = [];
    recorder = new MediaRecorder(stream);
    recorder.addEventListener("dataavailable", (event) => parts.push(event.data));
    recorder.addEventListener("stop", () => {
      for (const track of stream.getTracks()) track.stop();
      const type = recorder.mimeType.split(";")[0];
      const name = `recording.${ENDINGS[type] ?? "weba"}`;
      const chosen = new DataTransfer();
      chosen.items.add(new File(parts, name, { type }));
      file.files = chosen.files;
      file.dispatchEvent(new Event("change"));
      heard.src = URL.createObjectURL(chosen.files[0]);
      heard.hidden = false;
      button.textContent = "Record again";
      button.setAttribute("aria-pressed", "false");
      told.textContent = "";
    });
    recorder.start();
    button.textContent = "Stop";
    button.setAttribute("aria-pressed", "true");
    told.textContent = "Recording…";
  });
}

export function made(name, style, text = "") {
  const element = document.createElement(name);
  if (style) element.className = style;
  element.textContent = text;
  return element;
}
