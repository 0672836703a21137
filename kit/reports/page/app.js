// Everything put together: the first drawing, the keyboard, the address.

function typing(target) {
  return target instanceof HTMLInputElement || target instanceof HTMLSelectElement || target instanceof HTMLTextAreaElement;
}

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.key === "Escape") {
    if (typing(event.target)) {
      if (event.target === list.search && state.search) { state.search = ""; changed(); }
      event.target.blur();
    } else if (state.open !== null) {
      state.open = null;
      writeAddress();
      drawRows();
      drawQuestion();
    }
    return;
  }
  if (typing(event.target)) return;
  const among = event.target === document.body ? state.open !== null : document.getElementById("browser").contains(event.target);
  const does = {
    j: () => go(1), k: () => go(-1), e: () => go(1, wrong), E: () => go(-1, wrong), "/": () => list.search.focus(),
    ...(among ? { ArrowDown: () => go(1), ArrowRight: () => go(1), ArrowUp: () => go(-1), ArrowLeft: () => go(-1) } : {}),
  }[event.key];
  if (!does) return;
  event.preventDefault();
  does();
}

async function follow() {
  readAddress();
  refresh();
  if (state.search && !unpacked) {
    await texts();
    refresh(); // now through the contexts too
  }
  if (state.open !== null) open(state.open);
  else drawQuestion();
}

drawHead();
drawFacts();
drawBrowser();
drawCharts();
listeners.push(drawScores, drawBar, drawComparison, drawFacets, drawList, redrawCharts, () => {
  if (state.open !== null) drawQuestion();
});
document.addEventListener("keydown", pressed);
window.addEventListener("hashchange", follow);
document.getElementById("skip").addEventListener("click", (event) => {
  event.preventDefault();
  document.getElementById("browser-title").focus();
});
follow().then(() => {
  document.documentElement.dataset.ready = "yes";
  requestAnimationFrame(() => setTimeout(async () => {
    await texts();
    document.documentElement.dataset.unpacked = "yes";
  }));
});
