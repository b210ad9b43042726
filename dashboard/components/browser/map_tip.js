// The card beside a point: its picture large, what is known of it, the real patches that it stands for.

const [FACE, PATCH] = [150, 49]

function fillTip(tip, point, sheets) {
  tip.hidden = !point
  if (!point) return
  const patches = point.patches ?? []
  tip.classList.toggle("wide", patches.length > 0)
  const title = document.createElement("b")
  title.textContent = point.title
  const lines = point.lines.map((line) => Object.assign(document.createElement("span"), { textContent: line }))
  const face = point.tile ? [picture(point.tile, sheets, FACE)] : []
  face.forEach((canvas) => canvas.classList.add("face"))
  tip.replaceChildren(...face, title, ...lines)
  if (!patches.length) return
  const row = Object.assign(document.createElement("div"), { className: "row" })
  row.append(...patches.map((tile) => picture(tile, sheets, PATCH)))
  tip.append(row)
}

function picture([number, index], sheets, width) {
  const canvas = document.createElement("canvas")
  const side = Math.round(width * (window.devicePixelRatio || 1))
  Object.assign(canvas, { width: side, height: side })
  const paint = () => drawTile(canvas.getContext("2d"), sheets[number], index, 0, 0, side, paint)
  paint()
  return canvas
}

// Beside the square of `side` around (x, y), on the side where there is room.
function placeTip(tip, [x, y], side, width, height) {
  const [wide, high] = [tip.offsetWidth, tip.offsetHeight]
  const right = x + side / 2 + 12
  tip.style.left = `${right + wide < width ? right : Math.max(4, x - side / 2 - 12 - wide)}px`
  tip.style.top = `${Math.max(8, Math.min(y - high / 2, height - high - 8))}px`
}
