// What one position of a layer sees, against the whole input.
function fieldOf(share) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg")
  svg.setAttribute("viewBox", "0 0 34 34")
  svg.setAttribute("class", "field")
  const side = 32 * Math.min(1, Math.max(0.06, share))
  const at = 17 - side / 2
  svg.innerHTML = `<rect x="1" y="1" width="32" height="32" rx="3"></rect><rect class="sees" x="${at}" y="${at}" width="${side}" height="${side}" rx="2"></rect>`
  const title = document.createElementNS("http://www.w3.org/2000/svg", "title")
  title.textContent = `sees ${share >= 1 ? "the whole input" : `${Math.round(100 * share)} % of the input's width`}`
  svg.append(title)
  return svg
}
