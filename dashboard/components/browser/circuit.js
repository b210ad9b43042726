// The circuit around a channel: wires drawn as thick as their share, coloured by their sign, each with its kernel.

const FIRST = 6
const SIGNS = { 1: ["excites", "+"], "-1": ["inhibits", "−"], 0: ["both", "±"] }
const CIRCUITS = new WeakMap()

export default function (component) {
  const { parentElement, data, setTriggerValue } = component
  const root = parentElement.querySelector(".circuit")
  root.classList.toggle("dark", data.dark)
  const state = CIRCUITS.get(parentElement) || { all: [false, false], name: null }
  CIRCUITS.set(parentElement, state)
  if (state.name !== data.name) Object.assign(state, { all: [false, false], name: data.name })
  state.observer?.disconnect()
  const go = (wire) => setTriggerValue("opened", { layer: wire.layer, channel: wire.channel })
  const fill = () => {
    data.sides.forEach((side, k) => fillSide(root, root.querySelector(k ? ".out" : ".in"), side, k, state, data, go, fill))
    connect(root)
  }
  fillMiddle(root.querySelector(".middle"), data)
  fill()
  state.observer = new ResizeObserver(() => connect(root))
  state.observer.observe(root.querySelector(".net"))
  return () => state.observer.disconnect()
}

function fillMiddle(middle, data) {
  const canvas = square(196)
  paintTile(canvas, data, data.tile)
  middle.replaceChildren(canvas, make("span", "", data.name))
}

function fillSide(root, section, side, k, state, data, go, again) {
  const list = make("div", "wires")
  const shown = state.all[k] ? side.wires : side.wires.slice(0, FIRST)
  list.append(...shown.map((wire) => wireOf(root, wire, k, data, go)))
  section.replaceChildren(make("h4", "", side.title), make("p", "about", side.wires.length ? side.about : side.empty), list)
  if (side.wires.length <= FIRST) return
  const foot = make("div", "foot")
  const button = make("button", "", state.all[k] ? "Show fewer" : `Show all ${side.wires.length}`)
  button.onclick = () => { state.all[k] = !state.all[k]; again() }
  foot.append(button)
  section.append(foot)
}

function wireOf(root, wire, k, data, go) {
  const [name, sign] = SIGNS[wire.sign]
  const link = make("a", `wire ${name}`)
  lead(link, wire.href, () => go(wire))
  const [tile, kernel] = [square(58, "tile"), square(38, "kernel")]
  paintTile(tile, data, wire.tile)
  tile.classList.toggle("blank", !wire.tile)
  paintKernel(kernel, wire, root)
  const words = make("div", "words")
  const said = make("small")
  said.append(make("i", "", `${sign} ${percent(wire.share)}`), wire.label ? ` · ${wire.label}` : "")
  words.append(make("b", "", `${wire.layer}:${wire.channel}`), said)
  link.append(k ? kernel : tile, k ? tile : kernel, words)
  if (!k) link.replaceChildren(kernel, tile, words)
  link.dataset.share = wire.share
  link.setAttribute("aria-label", `${wire.layer} channel ${wire.channel}. ${sentence(wire, k, data)} ${wire.label}`)
  const near = root.querySelector(".near")
  const show = () => { light(root, link, true); showNear(near, link, wire, k, data, root) }
  const hide = () => { light(root, link, false); near.hidden = true }
  Object.assign(link, { onpointerenter: (event) => event.pointerType !== "touch" && show(), onpointerleave: hide, onfocus: show, onblur: hide })
  return link
}

const percent = (share) => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`

function sentence(wire, k, data) {
  const [from, to] = k ? [data.name, `channel ${wire.channel}`] : [`channel ${wire.channel}`, data.name]
  const how = { 1: "excites", "-1": "inhibits", 0: "excites here and inhibits there" }[wire.sign]
  return `${from} ${how} ${to}; strength ${wire.strength}, ${percent(wire.share)} of what ${to} reads.`
}

function showNear(near, link, wire, k, data, root) {
  const pair = make("div", "pair")
  const [tile, kernel] = [square(154), square(154)]
  paintTile(tile, data, wire.tile)
  paintKernel(kernel, wire, root)
  pair.append(tile, kernel)
  const words = make("p")
  const told = sentence(wire, k, data)
  words.append(make("b", "", `${wire.layer}:${wire.channel}`), ` ${told[0].toUpperCase()}${told.slice(1)}`)
  near.replaceChildren(pair, words)
  near.hidden = false
  const box = link.getBoundingClientRect()
  const x = k ? box.left - near.offsetWidth - 12 : box.right + 12
  near.style.left = `${Math.max(8, Math.min(x, window.innerWidth - near.offsetWidth - 8))}px`
  near.style.top = `${Math.max(8, Math.min(box.top - 40, window.innerHeight - near.offsetHeight - 8))}px`
}

function square(side, className = "") {
  const canvas = make("canvas", className)
  const ratio = window.devicePixelRatio || 1
  return Object.assign(canvas, { width: side * ratio, height: side * ratio })
}

function paintTile(canvas, data, tile) {
  if (!tile) return
  const draw = () => {
    const context = canvas.getContext("2d")
    context.imageSmoothingQuality = "high"
    drawTile(context, data.sheets[tile[0]], tile[1], 0, 0, canvas.width, draw)
  }
  draw()
}

// 0 is the background, the greatest |weight| the full colour of its sign.
function paintKernel(canvas, wire, root) {
  const style = getComputedStyle(root)
  const [up, down] = ["--excites", "--inhibits"].map((name) => style.getPropertyValue(name).trim())
  const [rows, columns] = [wire.height, wire.kernel.length / wire.height]
  const context = canvas.getContext("2d")
  const cell = Math.floor(canvas.width / Math.max(rows, columns))
  const [left, top] = [(canvas.width - cell * columns) / 2, (canvas.height - cell * rows) / 2]
  const most = Math.max(...wire.kernel.map(Math.abs)) || 1
  wire.kernel.forEach((weight, n) => {
    context.globalAlpha = Math.abs(weight) / most
    context.fillStyle = weight > 0 ? up : down
    context.fillRect(left + (n % columns) * cell, top + Math.floor(n / columns) * cell, cell, cell)
  })
}

// Curves from each picture to the one in the middle.
function connect(root) {
  const [net, svg, middle] = [".net", "svg", ".middle canvas"].map((name) => root.querySelector(name))
  const area = net.getBoundingClientRect()
  const centre = middle.getBoundingClientRect()
  if (!area.width || !centre.width) return
  const paths = [...root.querySelectorAll(".wire")].map((link) => {
    const out = !link.parentElement.parentElement.classList.contains("in")
    const box = link.getBoundingClientRect()
    const [x, y] = [(out ? box.left - 4 : box.right + 4) - area.left, box.top + box.height / 2 - area.top]
    const [toX, toY] = [(out ? centre.right + 6 : centre.left - 6) - area.left, centre.top + centre.height / 2 - area.top]
    const bend = (toX + x) / 2
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path")
    path.setAttribute("d", `M${x} ${y} C${bend} ${y} ${bend} ${toY} ${toX} ${toY}`)
    path.setAttribute("class", link.classList[1])
    path.style.strokeWidth = Math.max(1.5, 14 * Math.sqrt(Number(link.dataset.share)))
    link.path = path
    return path
  })
  svg.replaceChildren(...paths)
}

function light(root, link, on) {
  link.path?.classList.toggle("lit", on)
}
