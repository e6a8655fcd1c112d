// The text is selected, too: a page that was opened from a file may not always write to the clipboard.
async function copyCommand(button) {
  const text = button.parentElement.querySelector("pre");
  window.getSelection().selectAllChildren(text);
  try {
    await navigator.clipboard.writeText(text.textContent);
    button.textContent = "copied";
  } catch {
    button.textContent = "selected";
  }
}

startTheme();
startTable();
startDrawings();
startPlots();
for (const button of document.querySelectorAll(".copy")) button.addEventListener("click", () => copyCommand(button));
