// The canvas: tiles in a virtual scroll, one panel or two under the same cursor.

const GAP = 10
const CAPTION = 20
const GUTTER = 36

function layoutOf(width, size, panels, count) {
  const panelWidth = (width - GUTTER * (panels - 1)) / panels
  const columns = Math.max(1, Math.floor((panelWidth + GAP) / (size + GAP)))
  const side = Math.floor((panelWidth - GAP * (columns - 1)) / columns)
  const rows = Math.ceil(count / columns)
  return { panelWidth, columns, side, rows, rowHeight: side + CAPTION + GAP, height: rows * (side + CAPTION + GAP) }
}

function tileAt(layout, panels, x, y, count) {
  const panel = Math.floor(x / (layout.panelWidth + GUTTER))
  const inPanel = x - panel * (layout.panelWidth + GUTTER)
  const column = Math.floor(inPanel / (layout.side + GAP))
  const row = Math.floor(y / layout.rowHeight)
  const position = row * layout.columns + column
  const inTile = inPanel - column * (layout.side + GAP)
  if (panel >= panels || column >= layout.columns || position >= count || inTile > layout.side || x < 0 || y < 0) return null
  if (y - row * layout.rowHeight > layout.side + CAPTION) return null
  return { position, panel, fraction: inTile / layout.side }
}

// The pictures of a channel in one panel, in the order in which the pointer scrubs through them.
function picturesOf(panel, i, show) {
  const picture = panel.picture[i]
  const examples = panel.examples[i] || []
  if (show === "images") return panel.whole[i] || []
  if (show !== "pictures") return examples
  return picture ? [picture, ...(panel.faces[i] || []), ...examples] : examples
}

const AVERAGES = new Map()
const AVERAGE_SIDE = 96

// The mean of some tiles as a canvas, its contrast stretched so that all but a fiftieth of its values lie within the
// range; null while a sheet is on its way.
function averageOf(sheets, tiles, again) {
  const key = tiles.map(([s, t]) => `${sheets[s].url}#${t}`).join(" ")
  if (AVERAGES.has(key)) return AVERAGES.get(key)
  if (!tiles.every(([s]) => sheet(sheets[s].url, again).ready)) return null
  const side = AVERAGE_SIDE
  const canvas = Object.assign(document.createElement("canvas"), { width: side, height: side })
  const context = canvas.getContext("2d", { willReadFrequently: true })
  const sums = new Float32Array(side * side * 4)
  for (const [s, t] of tiles) {
    context.clearRect(0, 0, side, side)
    drawTile(context, sheets[s], t, 0, 0, side, again)
    const pixels = context.getImageData(0, 0, side, side).data
    for (let n = 0; n < sums.length; n++) sums[n] += pixels[n]
  }
  const colours = sums.filter((_, n) => n % 4 !== 3).sort()
  const [low, high] = [0.01, 0.99].map((share) => colours[Math.floor(share * (colours.length - 1))])
  const image = context.createImageData(side, side)
  for (let n = 0; n < sums.length; n++) image.data[n] = n % 4 === 3 ? 255 : (255 * (sums[n] - low)) / Math.max(1, high - low)
  context.putImageData(image, 0, 0)
  if (AVERAGES.size > 4000) AVERAGES.clear()
  AVERAGES.set(key, canvas)
  return canvas
}

function drawAverage(context, sheets, tiles, x, y, side, again) {
  const average = averageOf(sheets, tiles, again)
  if (average) context.drawImage(average, x, y, side, side)
}

function drawExamples(context, sheets, examples, x, y, side, again) {
  if (side < 72 || examples.length < 4) return drawTile(context, sheets[examples[0][0]], examples[0][1], x, y, side, again)
  const half = side / 2
  return examples
    .slice(0, 4)
    .map(([s, t], k) => drawTile(context, sheets[s], t, x + (k % 2) * half, y + Math.floor(k / 2) * half, half, again))
    .every(Boolean)
}

function drawChannel(context, data, panel, i, show, scrub, x, y, side, colours, again) {
  context.fillStyle = colours.tile
  context.fillRect(x, y, side, side)
  const pictures = picturesOf(panel, i, show)
  if (!pictures.length) {
    context.fillStyle = colours.faint
    context.textAlign = "center"
    context.font = `${Math.max(10, Math.min(13, side / 7))}px ${colours.font}`
    context.fillText(panel.missing[i] || "–", x + side / 2, y + side / 2 + 4, side - 8)
    return
  }
  if (scrub !== null && pictures.length > 1) {
    const k = Math.min(pictures.length - 1, Math.floor(scrub * pictures.length))
    drawTile(context, data.sheets[pictures[k][0]], pictures[k][1], x, y, side, again)
    const step = side / pictures.length
    context.fillStyle = colours.scrub
    context.fillRect(x + k * step, y + side - 3, step, 3)
  } else if (show === "average") {
    drawAverage(context, data.sheets, pictures, x, y, side, again)
  } else if (show !== "pictures" || !panel.picture[i]) {
    drawExamples(context, data.sheets, pictures, x, y, side, again)
  } else {
    drawTile(context, data.sheets[pictures[0][0]], pictures[0][1], x, y, side, again)
  }
}

function drawCaption(context, data, i, statistic, x, y, side, colours) {
  context.font = `500 12px ${colours.font}`
  context.textAlign = "left"
  context.fillStyle = colours.text
  const name = data.named ? ` ${data.labels[i]}` : ""
  context.fillText(cut(context, `${data.channels[i]}${name}`, statistic ? side - 48 : side), x, y + 14)
  if (!statistic) return
  context.textAlign = "right"
  context.fillStyle = colours.faint
  context.font = `12px ${colours.font}`
  if (side > 60) context.fillText(written(statistic.values[i], statistic.format), x + side, y + 14)
}

// As much of a text as fits.
function cut(context, text, width) {
  if (context.measureText(text).width <= width) return text
  let length = text.length - 1
  while (length > 4 && context.measureText(`${text.slice(0, length)}…`).width > width) length -= 1
  return `${text.slice(0, length).trimEnd()}…`
}

function outline(context, x, y, side, colour, width) {
  context.strokeStyle = colour
  context.lineWidth = width
  context.strokeRect(x - width / 2 - 1, y - width / 2 - 1, side + width + 2, side + width + 2)
}

function drawGrid(canvas, grid, again) {
  const { data, view, order, layout, colours } = grid
  const ratio = window.devicePixelRatio || 1
  const [width, height] = [grid.width, grid.visibleHeight]
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio)
    canvas.height = Math.round(height * ratio)
  }
  const context = canvas.getContext("2d")
  context.setTransform(ratio, 0, 0, ratio, 0, 0)
  context.imageSmoothingQuality = "high"
  context.clearRect(0, 0, width, height)
  const pad = grid.pad
  context.translate(pad, pad - grid.scroll)
  const statistic = statisticOf(data, view.sort)
  const first = Math.max(0, Math.floor((grid.scroll - pad) / layout.rowHeight)) * layout.columns
  const last = Math.min(order.length, (Math.ceil((grid.scroll + height) / layout.rowHeight) + 1) * layout.columns)
  const picked = new Set(view.selected)
  for (let position = first; position < last; position++) {
    const i = order[position]
    const y = Math.floor(position / layout.columns) * layout.rowHeight
    data.panels.forEach((panel, p) => {
      const x = p * (layout.panelWidth + GUTTER) + (position % layout.columns) * (layout.side + GAP)
      const hovered = grid.hover && grid.hover.position === position
      drawChannel(context, data, panel, i, view.show, hovered ? grid.hover.fraction : null, x, y, layout.side, colours, again)
      drawCaption(context, data, i, statistic, x, y + layout.side, layout.side, colours)
      if (picked.has(data.channels[i])) outline(context, x, y, layout.side, colours.picked, 3)
      if (position === grid.focus) outline(context, x, y, layout.side, colours.focus, 2)
      else if (hovered) outline(context, x, y, layout.side, colours.faint, 1)
    })
  }
}
