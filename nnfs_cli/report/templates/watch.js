(() => {
  "use strict";
  const PAUSE = 2000; // milliseconds

  // What the reader has opened stays open.
  function keepOpen(before, after) {
    const opened = before.querySelectorAll("details");
    after.querySelectorAll("details").forEach((fold, i) => {
      fold.open = opened[i] ? opened[i].open : fold.open;
    });
  }

  function ids(root) {
    return [...root.querySelectorAll("main > section")].map((section) => section.id).join();
  }

  // Only what has changed is replaced, so that the focus and the place in the page stay.
  function show(fresh) {
    const same = ids(document) === ids(fresh);
    const parts = same ? ["header", ...[...document.querySelectorAll("main > section")].map((s) => `#${s.id}`)]
      : ["header", "main"];
    for (const part of parts) {
      const before = document.querySelector(part);
      const after = fresh.querySelector(part);
      keepOpen(before, after);
      if (before.outerHTML !== after.outerHTML) before.replaceWith(document.adoptNode(after));
    }
  }

  function end() {
    const tag = document.querySelector("header .notice p");
    tag.textContent = "The training has ended, and with it the server of this page. Its report is in the run directory.";
    tag.setAttribute("role", "status");
  }

  async function follow() {
    if (!document.hidden) {
      let answer;
      try {
        answer = await fetch(location.pathname, {cache: "no-store"});
      } catch {
        end();
        return;
      }
      if (answer.headers.get("X-Nnfs-Training") === "ended") {
        location.reload();
        return;
      }
      if (answer.ok) show(new DOMParser().parseFromString(await answer.text(), "text/html"));
    }
    setTimeout(follow, PAUSE);
  }

  setTimeout(follow, PAUSE);
})();
