// Filter, sort and links of the list of audits. The page can be read and printed without this.
"use strict";
(() => {
  const id = (name) => document.getElementById(name);
  const bar = id("filters"), list = id("audits"), sorted = id("sorted"), status = id("shown");
  if (!bar) return;
  const field = (name) => bar.querySelector(`[name="${name}"]`);
  const boxes = [...bar.querySelectorAll('[name="verdict"]')];
  const modalities = [...field("modality").options].slice(1).map((option) => option.value);
  const severest = ["FAIL", "ERROR", "INCONCLUSIVE", "PASS", "shown"];
  const collator = new Intl.Collator("en", { numeric: true });

  const groups = [...list.querySelectorAll(".group")], parts = [...list.querySelectorAll(".part")];
  const audits = [...list.querySelectorAll(".audit")].map((line) => ({
    line, home: line.parentElement, family: line.closest(".group").dataset.family, verdict: line.dataset.v,
    effect: Number(line.dataset.e), marks: line.dataset.m,
    get anchor() { return line.id || line.querySelector(".audit-body").id; },
    get name() { return this._name ??= line.querySelector(".what").textContent; },
    get text() { return this._text ??= line.textContent.toLowerCase(); }, // read at the first search, not before
  }));
  const orders = {
    verdict: (a, b) => severest.indexOf(a.verdict) - severest.indexOf(b.verdict) || a.effect - b.effect,
    effect: (a, b) => a.effect - b.effect,
    name: (a, b) => collator.compare(a.name, b.name),
  };
  let order = "";

  const plain = (word) => word.replace(/[^a-z0-9]+/g, "-"); // as ids are written in anchors

  const chosen = () => ({
    verdict: boxes.filter((box) => box.checked).map((box) => box.value).join(","),
    question: field("question").value,
    modality: field("modality").value,
    text: field("text").value.trim(),
    sort: field("sort").value,
  });

  // With a modality chosen, an audit's verdict is the one it has there.
  const keeps = ({ verdict, question, modality, text }) => {
    const verdicts = verdict ? verdict.split(",") : null;
    const at = modalities.indexOf(modality);
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    return (audit) => {
      const own = at < 0 ? audit.verdict : severest.find((name) => name[0] === audit.marks[at]);
      return own && (!verdicts || verdicts.includes(own)) && (!question || audit.family === question)
        && words.every((word) => audit.text.includes(word) || (word.includes("/") && audit.anchor.includes(plain(word))));
    };
  };

  // In chunks, as in the page: a browser lays out those in view only.
  const arrange = (wanted) => {
    if (wanted === order) return;
    order = wanted;
    const chunks = [];
    for (const [index, { line, home }] of (wanted ? [...audits].sort(orders[wanted]) : audits).entries()) {
      if (wanted && index % sorted.dataset.chunk === 0) {
        chunks.push(Object.assign(document.createElement("ul"), { className: "audits" }));
      }
      (chunks.at(-1) ?? home).append(line);
    }
    sorted.replaceChildren(...chunks);
  };

  const apply = () => {
    const state = chosen();
    const keep = keeps(state);
    arrange(state.sort);
    let number = 0;
    const lengths = new Map();
    for (const audit of audits) {
      const shown = Boolean(keep(audit));
      if (audit.line.hidden === shown) audit.line.hidden = !shown;
      number += shown;
      const chunk = audit.line.parentElement;
      lengths.set(chunk, (lengths.get(chunk) ?? 0) + shown);
    }
    for (const [chunk, lines] of lengths) {
      chunk.hidden = !lines;
      chunk.style.setProperty("--lines", lines);
    }
    sorted.hidden = !state.sort;
    for (const place of [...parts, ...groups]) place.hidden = !place.querySelector(".audits:not([hidden])");
    const words = [state.verdict.replaceAll(",", " or "), state.question,
      state.modality && `in ${field("modality").selectedOptions[0].text}`, state.text && `with “${state.text}”`];
    const filtered = words.filter(Boolean).join(", ");
    const of = (n) => n.toLocaleString("en");
    status.textContent = `${of(number)} of ${of(audits.length)} audits shown${filtered && `: ${filtered}`}.`;
    list.classList.toggle("filtered", number < audits.length);
    return state;
  };

  const fragment = (state) => {
    const query = new URLSearchParams(Object.entries(state).filter(([, value]) => value));
    return `#audits?${String(query).replaceAll("%2C", ",")}`;
  };
  const changed = () => history.replaceState(null, "", fragment(apply()));
  const set = (state) => {
    const verdicts = (state.verdict ?? "").split(",");
    for (const box of boxes) box.checked = verdicts.includes(box.value);
    for (const name of ["question", "modality", "text", "sort"]) field(name).value = state[name] ?? "";
    for (const select of bar.querySelectorAll("select")) if (select.selectedIndex < 0) select.value = "";
    return apply();
  };

  // What the address says: a view of the list (#audits?verdict=FAIL), or one audit (#audit-...), which is opened.
  const follow = () => {
    const [name, query] = location.hash.slice(1).split("?");
    if (name === "audits" && query !== undefined) {
      set(Object.fromEntries(new URLSearchParams(query)));
      list.scrollIntoView();
      requestAnimationFrame(() => list.scrollIntoView());
      return;
    }
    const line = id(name)?.closest(".audit");
    if (!line) return;
    if (line.hidden) set({});
    const details = line.querySelector("details");
    if (details) details.open = true;
    line.querySelector("summary, a")?.focus({ preventScroll: true });
    line.scrollIntoView();
    // What lies above gets its height only when it is laid out: once more when that is done.
    requestAnimationFrame(() => line.scrollIntoView());
  };

  const copy = async (button, hash) => {
    const said = button.textContent;
    try {
      await navigator.clipboard.writeText(location.href.split("#")[0] + hash);
      button.textContent = "Link copied";
    } catch { // no clipboard here, or it was refused
      history.replaceState(null, "", hash);
      button.textContent = "The link is in the address bar";
    }
    setTimeout(() => { button.textContent = said; }, 2500);
  };

  let waiting = 0;
  field("text").addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(changed, 150); });
  bar.addEventListener("change", (event) => { if (event.target.name !== "text") changed(); });
  id("reset").addEventListener("click", () => { set({}); changed(); });
  id("copy-view").addEventListener("click", (event) => copy(event.target, fragment(chosen())));
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    if (link?.hash === location.hash) follow(); // the browser sees no change of the address then
    if (!link?.dataset.filter || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    history.pushState(null, "", `#audits?${link.dataset.filter}`);
    follow();
  });
  list.addEventListener("toggle", ({ target }) => {
    const body = target.querySelector(":scope > .audit-body");
    if (!body || !target.open || body.querySelector(":scope > .copy")) return;
    const button = Object.assign(document.createElement("button"), { type: "button", className: "copy" });
    button.textContent = "Copy link to this audit";
    button.addEventListener("click", () => copy(button, `#${body.id}`));
    body.append(button);
  }, true);
  addEventListener("hashchange", follow);
  addEventListener("load", follow); // the browser goes to the fragment itself until then, and takes the focus away

  bar.hidden = false;
  apply();
  follow();
  performance.mark("auditkit-ready");
})();
