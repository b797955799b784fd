for (const table of document.querySelectorAll("table.sortable"))
  table.querySelectorAll("th").forEach((head, column) =>
    head.firstElementChild.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      for (const other of table.querySelectorAll("th")) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const rows = [...table.tBodies[0].rows];
      const text = row => row.cells[column].textContent.trim().replaceAll(",", "").replace("\u2212", "-");
      // Numbers by value; empty cells last; texts by the alphabet.
      const compare = (a, b) => {
        const [x, y] = [a, b].map(parseFloat);
        if (isNaN(x) || isNaN(y)) return isNaN(x) && isNaN(y) ? (up ? 1 : -1) * a.localeCompare(b) : isNaN(x) - isNaN(y);
        return (up ? 1 : -1) * (x - y);
      };
      rows.sort((a, b) => compare(text(a), text(b)));
      table.tBodies[0].append(...rows);
    }));

// One sound at a time.
let playing = null;
const stop = () => {
  if (!playing) return;
  playing.nextElementSibling.pause();
  playing.classList.remove("playing");
  playing = null;
};
for (const button of document.querySelectorAll(".play")) {
  const sound = button.nextElementSibling;
  sound.addEventListener("ended", stop);
  button.addEventListener("click", () => {
    const again = playing === button;
    stop();
    if (again) return;
    sound.currentTime = 0;
    button.classList.add("playing");
    playing = button;
    sound.play();
  });
}
