// Sprite sheets: each file is asked for once, and drawn tile by tile.

const SHEETS = new Map()
const KEPT = 400 // decoded sheets that a long visit keeps; the browser's own cache has the others

function sheet(url, whenReady) {
  let entry = SHEETS.get(url)
  if (!entry) {
    const image = new Image()
    entry = { image, ready: false, failed: false, waiting: new Set() }
    SHEETS.set(url, entry)
    if (SHEETS.size > KEPT) SHEETS.delete(SHEETS.keys().next().value)
    const settle = (name) => () => {
      entry[name] = true
      const waiting = [...entry.waiting]
      entry.waiting.clear()
      waiting.forEach((call) => call())
    }
    image.decoding = "async"
    image.onload = settle("ready")
    image.onerror = settle("failed")
    image.src = url
  }
  if (whenReady && !entry.ready && !entry.failed) entry.waiting.add(whenReady)
  return entry
}

// Draw tile `index` of a sheet {url, columns, width, height} whole into the square (x, y, side). False: not there yet.
function drawTile(context, facts, index, x, y, side, whenReady) {
  const { image, ready } = sheet(facts.url, whenReady)
  if (!ready) return false
  const { width, height, columns } = facts
  const scale = side / Math.max(width, height)
  const [w, h] = [width * scale, height * scale]
  const [left, top] = [(index % columns) * width, Math.floor(index / columns) * height]
  context.drawImage(image, left, top, width, height, x + (side - w) / 2, y + (side - h) / 2, w, h)
  return true
}
