// What must happen at the speed of a hand: moving the map, placing its labels, the
// slider's thumb, and the choice of light or dark. Everything else is drawn by the node.
"use strict";

(() => {
  const MARGIN = 56; // pixels around what is kept in view
  const GAP = 3; // pixels between two labels
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const view = { x: 0, y: 0, u: 10 }; // centre in metres, metres a pixel
  let canvas, svg, isFitted = true, goal = null, dragged = null, wanted = 0;

  // the map's view

  function size() {
    return [canvas.clientWidth || 1, canvas.clientHeight || 1];
  }

  function apply() {
    const [w, h] = size();
    const { x, y, u } = view;
    svg.setAttribute("viewBox", `${x - (w * u) / 2} ${y - (h * u) / 2} ${w * u} ${h * u}`);
    svg.style.setProperty("--u", u);
    rule();
    soon();
  }

  function fitOf(box) {
    const [left, top, right, bottom] = box;
    const [w, h] = size();
    const side = Math.min(MARGIN * 1.5, w / 6), over = Math.min(MARGIN, h / 7);
    const [wide, high] = control();
    const u = Math.max((right - left) / Math.max(60, w - wide - 2 * side),
                       (bottom - top) / Math.max(60, h - high - 2 * over));
    return { x: (left + right) / 2 + (wide / 2) * u, y: (top + bottom) / 2 - (high / 2) * u, u };
  }

  // what the buttons take of the map: its right edge, or its top where they lie in a row
  function control() {
    const { offsetWidth: wide, offsetHeight: high } = canvas.parentElement.querySelector(".zoom");
    return wide > high ? [0, high] : [wide, 0];
  }

  function near(a, b) {
    const [w, h] = size();
    return Math.abs(Math.log(a.u / b.u)) < 0.15 &&
      Math.abs(a.x - b.x) < 0.06 * w * b.u && Math.abs(a.y - b.y) < 0.06 * h * b.u;
  }

  function follow(isNow) {
    const focus = svg?.querySelector(".focus");
    if (!focus || !isFitted) return soon();
    const to = fitOf(focus.dataset.box.split(" ").map(Number));
    if (isNow || calm.matches) {
      goal = null;
      Object.assign(view, to);
      apply();
    } else if (goal) {
      goal = to;
    } else if (!near(view, to)) {
      goal = to;
      requestAnimationFrame(glide);
    } else soon();
  }

  function glide() {
    if (!goal) return;
    const done = Math.abs(Math.log(view.u / goal.u)) < 0.004 &&
      Math.hypot(view.x - goal.x, view.y - goal.y) < 2 * goal.u;
    const part = done ? 1 : 0.18;
    view.x += (goal.x - view.x) * part;
    view.y += (goal.y - view.y) * part;
    view.u *= (goal.u / view.u) ** part;
    if (done) goal = null;
    else requestAnimationFrame(glide);
    apply();
  }

  function zoom(factor, at) {
    const [w, h] = size();
    const [px, py] = at || [w / 2, h / 2];
    const u = Math.min(5000, Math.max(0.2, view.u / factor));
    view.x += (px - w / 2) * (view.u - u);
    view.y += (py - h / 2) * (view.u - u);
    view.u = u;
    release();
  }

  function pan(dx, dy) {
    view.x -= dx * view.u;
    view.y -= dy * view.u;
    release();
  }

  function release() {
    isFitted = false;
    goal = null;
    apply();
  }

  function fit() {
    isFitted = true;
    follow(false);
  }

  // a scale of a round length

  function rule() {
    const metres = view.u * 110;
    const power = 10 ** Math.floor(Math.log10(metres));
    const round = [5, 2, 1].find((n) => n * power <= metres) * power;
    const scale = canvas.querySelector(".scale");
    scale.querySelector("i").style.width = `${round / view.u}px`;
    scale.querySelector("span").textContent = round < 1000 ? `${round} m` : `${round / 1000} km`;
  }

  // labels: the more important takes its place first, what finds none is not shown

  function soon() {
    if (!wanted) wanted = requestAnimationFrame(() => { wanted = 0; label(); });
  }

  function label() {
    const [w, h] = size();
    const pins = [...svg.querySelectorAll(".pin")].map((pin) => {
      const x = (pin.dataset.x - view.x) / view.u + w / 2;
      const y = (pin.dataset.y - view.y) / view.u + h / 2;
      return { pin, x, y, rank: Number(pin.dataset.rank), key: pin.dataset.key };
    }).sort((a, b) => a.rank - b.rank);
    const apart = [];
    for (const p of pins.filter((each) => each.pin.matches(".devices"))) {
      const from = p.x, long = 26 + spread(p);
      // devices close together stand side by side
      for (const other of apart)
        if (Math.abs(p.y - other.y) < 26 && p.x > other.x - long && p.x < other.x + 26 + spread(other))
          p.x = other.x + 26 + spread(other);
      p.pin.style.setProperty("--aside", `${p.x - from}px`);
      apart.push(p);
    }
    const taken = pins.filter((p) => p.rank < 30).map((p) => spot(p, 11));
    const from = canvas.getBoundingClientRect();
    for (const over of canvas.parentElement.querySelectorAll(".zoom, .attribution, .scale")) {
      const at = over.getBoundingClientRect();
      taken.push([at.left - from.left, at.top - from.top, at.right - from.left, at.bottom - from.top]);
    }
    const named = new Set();
    for (const p of pins) {
      const text = p.pin.querySelector("text");
      if (!text) continue;
      const [dx, dy, wide] = text.dataset.at.split(" ").map(Number);
      const isTwice = p.key && named.has(p.key);
      const isHidden = getComputedStyle(text).display === "none";
      const place = isTwice || isHidden ? null : free(p, text, dx, dy, wide, taken, w, h);
      text.style.visibility = place ? "visible" : "hidden";
      if (!place) continue;
      text.setAttribute("x", place.x);
      text.setAttribute("y", place.y);
      taken.push(place.box);
      if (p.key) named.add(p.key);
    }
  }

  function spot(p, r) {
    return [p.x - r, p.y - r, p.x + r + spread(p), p.y + r, p.pin];
  }

  // how far what a pin shows reaches to its right, past its middle
  function spread(p) {
    return Number((p.pin.querySelector("text")?.dataset.at || "0 0 0").split(" ")[2]);
  }

  function free(p, text, dx, dy, wide, taken, w, h) {
    const long = text.getComputedTextLength(), high = parseFloat(getComputedStyle(text).fontSize);
    const off = p.rank < 30 ? 18 : 9;
    // above or below it may lean to one side, to stay on the map
    const middle = Math.max(6 - p.x, Math.min(w - 6 - p.x - long, dx + wide / 2 - long / 2));
    const spots = [
      [dx + wide + off, dy + high * 0.35], [dx - off - long, dy + high * 0.35],
      [middle, dy - off - 2], [middle, dy + off + high * 0.8],
      [dx + wide + off * 0.7, dy - off * 0.8], [dx + wide + off * 0.7, dy + off + high * 0.4],
      [dx - long - off * 0.7, dy - off * 0.8], [dx - long - off * 0.7, dy + off + high * 0.4],
      [middle, dy - 2 * off], [middle, dy + 2 * off + high * 0.8],
      [dx + wide + 2.4 * off, dy + high * 0.35], [dx - 2.4 * off - long, dy + high * 0.35],
    ];
    let best = null;
    for (const [x, y] of spots) {
      const box = [p.x + x - GAP, p.y + y - high * 0.85 - GAP, p.x + x + long + GAP, p.y + y + high * 0.25 + GAP];
      if (box[0] < 2 || box[1] < 2 || box[2] > w - 2 || box[3] > h - 2) continue;
      const lost = taken.reduce((sum, t) => sum + (t[4] === p.pin ? 0 : common(box, t)), 0);
      if (!best || lost < best.lost) best = { x, y, box, lost };
      if (!lost) break;
    }
    // the best destination is named even where that covers something, others and
    // the open where it covers little
    const most = p.rank <= 5 ? Infinity : p.rank < 10 ? 0.12 * long * high : 0;
    return best && best.lost <= most ? best : null;
  }

  function common(a, b) {
    const wide = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
    const high = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
    return wide > 0 && high > 0 ? wide * high : 0;
  }

  // hands

  function listen() {
    const pointers = new Map();
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      pointers.set(event.pointerId, [event.clientX, event.clientY]);
    });
    canvas.addEventListener("pointermove", (event) => {
      const was = pointers.get(event.pointerId);
      if (!was) return;
      const is = [event.clientX, event.clientY];
      if (pointers.size === 2) {
        const other = [...pointers].find(([id]) => id !== event.pointerId)[1];
        const apart = (p) => Math.hypot(p[0] - other[0], p[1] - other[1]) || 1;
        const at = canvas.getBoundingClientRect();
        zoom(apart(is) / apart(was), [(is[0] + other[0]) / 2 - at.left, (is[1] + other[1]) / 2 - at.top]);
      } else pan(is[0] - was[0], is[1] - was[1]);
      pointers.set(event.pointerId, is);
    });
    for (const end of ["pointerup", "pointercancel"])
      canvas.addEventListener(end, (event) => pointers.delete(event.pointerId));
    canvas.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && document.activeElement !== canvas) return; // let the page scroll
      event.preventDefault();
      const at = canvas.getBoundingClientRect();
      zoom(1.0015 ** -event.deltaY, [event.clientX - at.left, event.clientY - at.top]);
    }, { passive: false });
    canvas.addEventListener("keydown", (event) => {
      const act = {
        ArrowLeft: () => pan(60, 0), ArrowRight: () => pan(-60, 0),
        ArrowUp: () => pan(0, 60), ArrowDown: () => pan(0, -60),
        "+": () => zoom(1.4), "=": () => zoom(1.4), "-": () => zoom(1 / 1.4), 0: fit,
      }[event.key];
      if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      act();
    });
  }

  // the slider: its thumb follows the node, but not out of a person's hand

  function slide(slider) {
    const set = () => {
      const [most, value] = slider.dataset.range.split(" ");
      slider.max = most;
      if (!dragged) slider.value = value;
    };
    slider.addEventListener("pointerdown", () => { dragged = slider; });
    for (const end of ["pointerup", "pointercancel", "blur"])
      slider.addEventListener(end, () => { dragged = null; });
    new MutationObserver(set).observe(slider, { attributeFilter: ["data-range"] });
    set();
  }

  // an answered card goes away: the keyboard goes on from the heading above

  function keep(cards) {
    let last = null;
    document.addEventListener("focusin", (event) => { last = event.target; });
    new MutationObserver(() => {
      const isLost = last && !last.isConnected && document.activeElement === document.body;
      if (isLost) document.getElementById("suggestions").focus({ preventScroll: true });
    }).observe(cards, { childList: true });
  }

  // light and dark

  function theme(choice) {
    const root = document.documentElement;
    if (choice) root.dataset.theme = choice;
    try {
      if (choice) localStorage.setItem("trivet-theme", choice);
      else if (localStorage.getItem("trivet-theme")) root.dataset.theme = localStorage.getItem("trivet-theme");
    } catch (error) {
      console.info("the choice of light or dark is not kept:", error.message);
    }
  }

  function turn() {
    const now = document.documentElement.dataset.theme ||
      (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
    theme(now === "dark" ? "light" : "dark");
  }

  const acts = { plus: () => zoom(1.5), minus: () => zoom(1 / 1.5), fit, theme: turn };

  function start() {
    canvas = document.querySelector(".canvas");
    if (!canvas?.querySelector(".focus")) return requestAnimationFrame(start);
    svg = canvas.querySelector("svg");
    listen();
    keep(document.querySelector(".cards"));
    slide(document.querySelector(".transport input"));
    new ResizeObserver(() => (isFitted ? follow(true) : apply())).observe(canvas);
    new MutationObserver(() => follow(false)).observe(svg, { childList: true, subtree: true });
    follow(true);
    document.documentElement.dataset.ready = "yes";
  }

  theme();
  document.addEventListener("click", (event) => {
    acts[event.target.closest("[data-do]")?.dataset.do]?.();
  });
  document.addEventListener("DOMContentLoaded", start);
})();
