// The table of all candidates: of its rows only those in view are in the document.
const ROW_HEIGHT = 30;
const MARGIN_ROWS = 12;
const table = { order: [], sorted: null, descending: false, selected: null, texts: null };

function columnNamed(name) {
  return DATA.table.columns.find((column) => column.name === name);
}

function rowOfCandidate(id) {
  return columnNamed("id").values.indexOf(id);
}

function cellText(column, row) {
  const value = column.values[row];
  if (value === null || value === undefined) return "";
  if (typeof value !== "number") return String(value);
  return column.digits === null ? value.toLocaleString("en-US") : value.toFixed(column.digits);
}

function textOfRow(row) {
  return DATA.table.columns.map((column) => cellText(column, row)).join("\u0001").toLowerCase();
}

function filterRows(query) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  table.texts ??= columnNamed("id").values.map((_, row) => textOfRow(row));
  table.order = [...table.texts.keys()].filter((row) => words.every((word) => table.texts[row].includes(word)));
  sortRows();
}

function compareCells(first, second) {
  return typeof first === "number" && typeof second === "number" ? first - second : String(first).localeCompare(String(second));
}

// What has no value comes last, in either direction.
function sortRows() {
  if (table.sorted) {
    const { values } = table.sorted;
    const missing = (row) => values[row] === null || values[row] === "";
    const sign = table.descending ? -1 : 1;
    table.order.sort((a, b) => missing(a) - missing(b) || sign * compareCells(values[a], values[b]) || a - b);
  }
  showRows();
  const all = columnNamed("id").values.length;
  document.getElementById("count").textContent = `${table.order.length.toLocaleString("en-US")} of ${all.toLocaleString("en-US")}`;
}

function sortBy(column) {
  table.descending = table.sorted === column ? !table.descending : column.descending;
  table.sorted = column;
  document.querySelectorAll("#rows th").forEach((cell, place) => {
    const state = DATA.table.columns[place] === column ? (table.descending ? "descending" : "ascending") : "none";
    cell.setAttribute("aria-sort", state);
  });
  sortRows();
}

function gap(rows) {
  const element = document.createElement("tr");
  element.className = "gap";
  const cell = element.insertCell();
  cell.colSpan = DATA.table.columns.length;
  cell.style.height = `${rows * ROW_HEIGHT}px`;
  return element;
}

function rowElement(row) {
  const element = document.createElement("tr");
  element.dataset.row = row;
  element.setAttribute("aria-selected", String(row === table.selected));
  for (const column of DATA.table.columns) {
    const cell = element.insertCell();
    cell.textContent = cellText(column, row);
    if (column.numeric) cell.className = "number";
    else cell.title = cell.textContent;
  }
  return element;
}

function showRows() {
  const box = document.getElementById("rows");
  const first = Math.max(0, Math.floor(box.scrollTop / ROW_HEIGHT) - MARGIN_ROWS);
  const last = Math.min(table.order.length, first + Math.ceil(box.clientHeight / ROW_HEIGHT) + 2 * MARGIN_ROWS);
  const shown = table.order.slice(first, last).map(rowElement);
  box.querySelector("tbody").replaceChildren(gap(first), ...shown, gap(table.order.length - last));
}

function moveSelection(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step || !table.order.length) return;
  event.preventDefault();
  const place = table.order.indexOf(table.selected) + step;
  const row = table.order[Math.min(Math.max(place, 0), table.order.length - 1)];
  showCandidate(row);
  const box = document.getElementById("rows");
  const top = table.order.indexOf(row) * ROW_HEIGHT;
  box.scrollTop = Math.min(Math.max(box.scrollTop, top - box.clientHeight + 3 * ROW_HEIGHT), top);
}

function showCandidate(row, jump = false) {
  table.selected = row;
  showRows();
  const detail = document.getElementById("detail");
  const drawing = Object.assign(document.createElement("div"), { className: "drawing" });
  const facts = Object.assign(document.createElement("dl"), { className: "facts" });
  for (const column of DATA.table.columns) {
    const text = cellText(column, row);
    if (!text) continue;
    const className = column.width === "auto" ? "long" : "";
    facts.append(Object.assign(document.createElement("dt"), { textContent: column.label, className }));
    facts.append(Object.assign(document.createElement("dd"), { textContent: text, className }));
  }
  detail.replaceChildren(facts, drawing);
  fillDrawing(drawing, row);
  if (jump) document.getElementById("candidates").scrollIntoView();
}

function startTable() {
  const box = document.getElementById("rows");
  if (!box) return;
  const head = box.querySelector("thead tr");
  for (const column of DATA.table.columns) {
    const cell = document.createElement("th");
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: column.label, title: column.label });
    button.addEventListener("click", () => sortBy(column));
    if (column.numeric) cell.className = "number";
    cell.style.width = column.width;
    cell.append(button);
    head.append(cell);
  }
  box.addEventListener("scroll", showRows, { passive: true });
  box.addEventListener("keydown", moveSelection);
  box.querySelector("tbody").addEventListener("click", (event) => {
    const element = event.target.closest("tr[data-row]");
    if (element) showCandidate(Number(element.dataset.row));
  });
  const input = document.getElementById("filter");
  input.addEventListener("input", () => {
    box.scrollTop = 0;
    filterRows(input.value);
  });
  filterRows("");
  sortBy(DATA.table.columns.find((column) => column.descending) ?? DATA.table.columns[0]);
}
