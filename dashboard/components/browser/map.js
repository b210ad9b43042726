// A layer's channels as pictures in a plane. Moving, zooming and picking never leave the browser; Python hears of what is
// picked and opened.

const MAPS = new WeakMap()
const MARGIN = 50
const [LEAST, MOST] = [1, 40]

export default function (component) {
  const { parentElement, data } = component
  const root = parentElement.querySelector(".map")
  let state = MAPS.get(parentElement)
  if (!state) {
    state = newState(root)
    MAPS.set(parentElement, state)
  }
  state.component = component
  state.data = data
  const style = getComputedStyle(root)
  const read = (name) => style.getPropertyValue(name).trim()
  state.colours = { back: read("--st-secondary-background-color"), accent: read("--st-primary-color"), picked: data.dark ? "#e0a458" : "#c8862b", text: read("--st-text-color") }
  root.querySelector(".plane").setAttribute("aria-label", `Map of ${data.title}: ${data.points.length} channels. Arrow keys move, plus and minus zoom.`)
  state.observer.observe(root.querySelector(".plane"))
  listenForSteps({ "[": ["layer", -1], "]": ["layer", 1] })
  stepsFrom("layer", `map of ${data.title}`, data.room, () => root.isConnected, (by) => state.component.setTriggerValue("step", by))
  state.again()
  return () => state.observer.disconnect()
}

function newState(root) {
  const plane = root.querySelector(".plane")
  const state = { root, plane, canvas: plane.querySelector("canvas"), zoom: 1, x: 0.5, y: 0.5, picked: new Set(), line: null, lasso: false, hover: null, frame: null }
  state.again = () => {
    state.frame ??= requestAnimationFrame(() => {
      state.frame = null
      if (root.isConnected) draw(state)
    })
  }
  state.observer = new ResizeObserver(state.again)
  listen(state)
  return state
}

// Where a point of the unit square is drawn: stretched to the plane, whose directions have no unit. `side`: of a tile.
function view(state) {
  const { clientWidth: width, clientHeight: height } = state.plane
  const scale = [(width - 2 * MARGIN) * state.zoom, (height - 2 * MARGIN) * state.zoom]
  const count = Math.max(1, state.data.points.length)
  const side = Math.max(14, Math.min(120, 0.6 * state.zoom ** 0.75 * Math.sqrt((width * height) / count)))
  const at = (x, y) => [width / 2 + (x - state.x) * scale[0], height / 2 + (y - state.y) * scale[1]]
  return { width, height, scale, side, at }
}

function draw(state) {
  const { canvas, data, colours } = state
  const { width, height, side, at } = view(state)
  const ratio = window.devicePixelRatio || 1
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) Object.assign(canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) })
  const context = canvas.getContext("2d")
  context.setTransform(ratio, 0, 0, ratio, 0, 0)
  context.clearRect(0, 0, width, height)
  context.imageSmoothingQuality = "high"
  for (const point of data.points) drawPoint(context, state, point, side, at)
  if (state.hover) drawPoint(context, state, state.hover, side * 1.25, at)
  if (state.line?.length > 1) {
    context.beginPath()
    state.line.forEach(([x, y]) => context.lineTo(x, y))
    context.closePath()
    Object.assign(context, { strokeStyle: colours.accent, lineWidth: 2, fillStyle: `color-mix(in srgb, ${colours.accent} 16%, transparent)` })
    context.fill()
    context.stroke()
  }
}

function drawPoint(context, state, point, side, at) {
  const [x, y] = at(point.x, point.y)
  if (x < -side || y < -side || x > state.plane.clientWidth + side || y > state.plane.clientHeight + side) return
  const [left, top] = [x - side / 2, y - side / 2]
  context.fillStyle = state.colours.back
  context.fillRect(left, top, side, side)
  if (point.tile) drawTile(context, state.data.sheets[point.tile[0]], point.tile[1], left, top, side, state.again)
  const picked = state.picked.has(point.channel)
  if (!picked && point !== state.hover) return
  Object.assign(context, { strokeStyle: picked ? state.colours.picked : state.colours.accent, lineWidth: 3 })
  context.strokeRect(left - 1, top - 1, side + 2, side + 2)
}

function pointAt(state, x, y) {
  const { side, at } = view(state)
  let [found, least] = [null, Infinity]
  for (const point of state.data.points) {
    const [px, py] = at(point.x, point.y)
    const far = Math.max(Math.abs(px - x), Math.abs(py - y))
    if (far <= side / 2 && far < least) [found, least] = [point, far]
  }
  return found
}

function zoomAt(state, factor, x, y) {
  const before = view(state)
  const zoom = Math.min(MOST, Math.max(LEAST, state.zoom * factor))
  const shrunk = 1 - state.zoom / zoom
  state.x += ((x - before.width / 2) / before.scale[0]) * shrunk
  state.y += ((y - before.height / 2) / before.scale[1]) * shrunk
  state.zoom = zoom
  state.again()
}

function listen(state) {
  const { root, plane } = state
  const place = (event) => {
    const box = plane.getBoundingClientRect()
    return [event.clientX - box.left, event.clientY - box.top]
  }
  let down = null
  plane.onpointerdown = (event) => {
    if (event.button) return
    plane.setPointerCapture(event.pointerId)
    down = { at: place(event), x: state.x, y: state.y, moved: false, drawing: state.lasso || event.shiftKey }
    if (down.drawing) state.line = [down.at]
  }
  plane.onpointermove = (event) => {
    const [x, y] = place(event)
    if (!down) return hover(state, pointAt(state, x, y))
    if (Math.hypot(x - down.at[0], y - down.at[1]) > 4) down.moved = true
    if (!down.moved) return
    hover(state, null)
    if (down.drawing) state.line.push([x, y])
    else {
      const { scale } = view(state)
      state.x = down.x - (x - down.at[0]) / scale[0]
      state.y = down.y - (y - down.at[1]) / scale[1]
      plane.classList.add("moving")
    }
    state.again()
  }
  plane.onpointerup = (event) => {
    const [x, y] = place(event)
    plane.classList.remove("moving")
    if (down?.drawing) pick(state, down.moved ? inside(state) : [])
    else if (down && !down.moved) {
      const point = pointAt(state, x, y)
      if (point) state.component.setTriggerValue("opened", point.channel)
    }
    down = null
  }
  plane.onpointerleave = () => hover(state, null)
  plane.addEventListener("wheel", (event) => {
    event.preventDefault()
    zoomAt(state, Math.exp(-event.deltaY / 400), ...place(event))
  }, { passive: false })
  plane.onkeydown = (event) => onKey(state, event)
  const middle = () => [plane.clientWidth / 2, plane.clientHeight / 2]
  root.querySelector(".in").onclick = () => zoomAt(state, 1.4, ...middle())
  root.querySelector(".out").onclick = () => zoomAt(state, 1 / 1.4, ...middle())
  root.querySelector(".whole").onclick = () => whole(state)
  root.querySelector(".lasso").onclick = (event) => {
    state.lasso = !state.lasso
    event.currentTarget.setAttribute("aria-pressed", String(state.lasso))
    plane.classList.toggle("drawing", state.lasso)
  }
}

function onKey(state, event) {
  const [right, down] = view(state).scale.map((scale) => 60 / scale)
  const moves = { ArrowLeft: [-right, 0], ArrowRight: [right, 0], ArrowUp: [0, -down], ArrowDown: [0, down] }
  const middle = [state.plane.clientWidth / 2, state.plane.clientHeight / 2]
  if (event.key in moves) {
    state.x += moves[event.key][0]
    state.y += moves[event.key][1]
  } else if (event.key === "+" || event.key === "=") zoomAt(state, 1.4, ...middle)
  else if (event.key === "-") zoomAt(state, 1 / 1.4, ...middle)
  else if (event.key === "Home") whole(state)
  else if (event.key === "Escape") pick(state, [])
  else return
  event.preventDefault()
  state.again()
}

function whole(state) {
  Object.assign(state, { zoom: 1, x: 0.5, y: 0.5 })
  state.again()
}

// The points within the closed line: those from which a ray to the right crosses it an odd number of times.
function inside(state) {
  const { at } = view(state)
  const line = state.line
  return state.data.points.filter((point) => {
    const [x, y] = at(point.x, point.y)
    let odd = false
    line.forEach(([ax, ay], k) => {
      const [bx, by] = line[(k + 1) % line.length]
      if (ay > y !== by > y && x < ax + ((y - ay) / (by - ay)) * (bx - ax)) odd = !odd
    })
    return odd
  })
}

function pick(state, points) {
  state.line = null
  state.picked = new Set(points.map((point) => point.channel))
  state.component.setStateValue("picked", [...state.picked].sort((a, b) => a - b))
  state.root.querySelector(".live").textContent = `${points.length} channels picked`
  state.again()
}

function hover(state, point) {
  if (point === state.hover) return
  state.hover = point
  state.plane.classList.toggle("over", Boolean(point) && !state.lasso)
  const tip = state.root.querySelector(".tip")
  tip.hidden = !point
  if (point) fillTip(state, tip, point)
  state.again()
}

function fillTip(state, tip, point) {
  const canvas = document.createElement("canvas")
  const side = 150 * (window.devicePixelRatio || 1)
  Object.assign(canvas, { width: side, height: side })
  const paint = () => drawTile(canvas.getContext("2d"), state.data.sheets[point.tile[0]], point.tile[1], 0, 0, side, paint)
  if (point.tile) paint()
  const [title, label] = [document.createElement("b"), document.createElement("span")]
  title.textContent = `Channel ${point.channel}`
  label.textContent = point.label
  tip.replaceChildren(canvas, title, label)
  const { at, side: tile, width, height } = view(state)
  const [x, y] = at(point.x, point.y)
  tip.style.left = `${x + tile / 2 + 12 + 172 < width ? x + tile / 2 + 12 : x - tile / 2 - 12 - 172}px`
  tip.style.top = `${Math.max(8, Math.min(y - 80, height - tip.offsetHeight - 8))}px`
}
