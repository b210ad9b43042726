// The network drawn from its graph: a column a step, branches below each other, lines from layer to layer.

const [ROOM, LOWEST, WIDEST] = [16, 42, 74]
const [FOOT, BETWEEN, TOP, FIELD] = [24, 12, 22, 22]
const PLANES = new WeakMap()
const MARKS = { high: "▲", medium: "●", low: "●" }

export default function (component) {
  const { parentElement, data, setTriggerValue } = component
  const root = parentElement.querySelector(".network")
  root.classList.toggle("dark", data.dark)
  root.querySelector(".sick").hidden = !data.nodes.some((node) => node.severity)
  PLANES.get(parentElement)?.disconnect()
  const go = (layer) => setTriggerValue("opened", layer)
  let width = 0
  const observer = new ResizeObserver(() => {
    const now = root.clientWidth
    if (now && now !== width) fillPlane(root, data, (width = now), go)
  })
  observer.observe(root)
  PLANES.set(parentElement, observer)
  return () => observer.disconnect()
}

function fillPlane(root, data, width, go) {
  const columns = 1 + Math.max(...data.nodes.map((node) => node.column))
  const step = Math.max(LOWEST + ROOM, Math.min(WIDEST + ROOM, (width - 4) / columns))
  const side = step - ROOM
  const tallest = Math.max(...Array.from({ length: columns }, (_, c) => heightOf(data.nodes.filter((node) => node.column === c), side)))
  const places = new Map()
  const most = Math.max(...data.nodes.map((node) => node.channels))
  const drawn = []
  for (let column = 0; column < columns; column++) {
    const here = data.nodes.filter((node) => node.column === column)
    let y = TOP + (tallest - heightOf(here, side)) / 2
    for (const node of here) {
      const high = picturesHigh(node, side)
      const place = { x: 4 + column * step, y, side, high }
      places.set(node.layer, place)
      drawn.push(nodeOf(node, data, place, most, go))
      y += high + FOOT + BETWEEN
    }
    const seen = Math.max(...here.map((node) => node.field ?? -1))
    if (seen >= 0) drawn.push(placed(fieldOf(seen), 4 + column * step + (side - FIELD) / 2, TOP + tallest + 4))
  }
  const plane = root.querySelector(".plane")
  plane.style.width = `${columns * step}px`
  plane.style.height = `${TOP + tallest + FIELD + 8}px`
  root.querySelector(".nodes").replaceChildren(...drawn)
  root.querySelector(".lines").replaceChildren(...data.lines.map((line) => pathOf(line, places)).filter(Boolean))
}

const picturesHigh = (node, side) => Math.max(1, node.tiles.length) * (side + 2) - 2

function heightOf(nodes, side) {
  return nodes.reduce((sum, node) => sum + picturesHigh(node, side) + FOOT, 0) + BETWEEN * (nodes.length - 1)
}

function placed(element, x, y) {
  element.style.left = `${x}px`
  element.style.top = `${y}px`
  return element
}

function nodeOf(node, data, { x, y, side, high }, most, go) {
  const link = placed(make("a", "node"), x, y)
  link.style.width = `${side}px`
  lead(link, node.href, () => go(node.layer))
  const dead = node.dead ? `\n${(100 * node.dead).toFixed(node.dead < 0.1 ? 1 : 0)} % of its channels are dead` : ""
  link.title = [`${node.layer}\n${node.about}${dead}`, ...node.told].join("\n")
  link.setAttribute("aria-label", link.title.replaceAll("\n", ", "))
  link.append(node.tiles.length ? stackOf(node, data, side, high) : blank(high))
  const bar = make("i", "width")
  bar.style.width = `${Math.max(8, 100 * Math.sqrt(node.channels / most))}%`
  link.append(bar, make("span", "count", node.channels.toLocaleString("en")))
  if (node.severity) link.append(make("b", `mark ${node.severity}`, MARKS[node.severity]))
  return link
}

function blank(high) {
  const box = make("div", "blank")
  box.style.height = `${high}px`
  return box
}

function stackOf(node, data, side, high) {
  const canvas = make("canvas")
  const ratio = window.devicePixelRatio || 1
  Object.assign(canvas, { width: side * ratio, height: high * ratio })
  canvas.style.height = `${high}px`
  const draw = () => {
    const context = canvas.getContext("2d")
    context.setTransform(ratio, 0, 0, ratio, 0, 0)
    context.imageSmoothingQuality = "high"
    node.tiles.forEach(([s, t], k) => drawTile(context, data.sheets[s], t, 0, k * (side + 2), side, draw))
  }
  draw()
  return canvas
}

// From the right side of one layer to the left of the next; skips pass above what they leave out.
function pathOf(line, places) {
  const [from, to] = [places.get(line.start), places.get(line.end)]
  if (!from || !to) return null
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path")
  path.setAttribute("class", `${line.skip ? "skip" : ""} ${line.sure ? "" : "unsure"}`)
  if (line.skip) {
    const [x, y, toX, toY] = [from.x + from.side, from.y - 2, to.x, to.y - 2]
    const top = Math.max(2, Math.min(y, toY) - 16)
    path.setAttribute("d", `M${x - 6} ${y} C${x + 6} ${top} ${toX - 6} ${top} ${toX + 6} ${toY}`)
  } else {
    const [x, y, toX, toY] = [from.x + from.side + 1, from.y + from.high / 2, to.x - 1, to.y + to.high / 2]
    const bend = Math.min(24, (toX - x) / 2)
    path.setAttribute("d", `M${x} ${y} C${x + bend} ${y} ${toX - bend} ${toY} ${toX} ${toY}`)
  }
  return path
}
