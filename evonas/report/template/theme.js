// Light or dark: what the reader's system prefers, until a click says otherwise.
const preferred = window.matchMedia("(prefers-color-scheme: dark)");
const themeListeners = [];

function currentTheme() {
  return document.documentElement.dataset.theme;
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  for (const listener of themeListeners) listener();
}

function startTheme() {
  setTheme(preferred.matches ? "dark" : "light");
  preferred.addEventListener("change", (event) => setTheme(event.matches ? "dark" : "light"));
  const other = () => (currentTheme() === "dark" ? "light" : "dark");
  document.getElementById("theme").addEventListener("click", () => setTheme(other()));
}
