// Pictures in a plane, or in two planes under one cursor. Moving, zooming and picking never leave the browser; Python
// hears of what is picked and opened.

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
  state.picked = new Set(data.picked)
  const style = getComputedStyle(root)
  const read = (name) => style.getPropertyValue(name).trim()
  state.colours = { back: read("--st-secondary-background-color"), accent: read("--st-primary-color"), picked: data.dark ? "#e0a458" : "#c8862b" }
  root.querySelector(".hint").textContent = `Drag to move, scroll to zoom, click to ${data.grid ? "pick" : "open"}. With Shift or Lasso, draw around ${data.noun} to pick them.`
  state.panels.forEach((panel, number) => {
    const shown = data.panels[number]
    panel.points = shown?.points ?? []
    panel.byId = new Map(panel.points.map((point) => [point.id, point]))
    panel.figure.hidden = !shown
    panel.figure.querySelector("figcaption").textContent = shown && data.panels.length > 1 ? shown.title : ""
    if (!shown) return
    panel.plane.setAttribute("aria-label", `Map of ${shown.title}: ${panel.points.length} ${data.noun}. Arrow keys move, plus and minus zoom.`)
    state.observer.observe(panel.plane)
  })
  listenForSteps({ "[": ["layer", -1], "]": ["layer", 1] })
  stepsFrom("layer", `map of ${data.title}`, data.room, () => root.isConnected, (by) => state.component.setTriggerValue("step", by))
  state.again()
  return () => state.observer.disconnect()
}

// Zoom and place are one for all panels, so that what is looked at in one is looked at in the other.
function newState(root) {
  const state = { root, zoom: 1, x: 0.5, y: 0.5, picked: new Set(), line: null, lasso: false, hover: null, frame: null }
  state.panels = [...root.querySelectorAll(".panel")].map((figure, number) => {
    const plane = figure.querySelector(".plane")
    return { number, figure, plane, canvas: plane.querySelector("canvas"), tip: plane.querySelector(".tip"), points: [], byId: new Map() }
  })
  state.again = () => {
    state.frame ??= requestAnimationFrame(() => {
      state.frame = null
      if (root.isConnected) state.panels.filter((panel) => !panel.figure.hidden).forEach((panel) => draw(state, panel))
    })
  }
  state.observer = new ResizeObserver(state.again)
  state.panels.forEach((panel) => listen(state, panel))
  listenAnywhere(state)
  const middle = () => [state.panels[0].plane.clientWidth / 2, state.panels[0].plane.clientHeight / 2]
  root.querySelector(".in").onclick = () => zoomAt(state, state.panels[0], 1.4, ...middle())
  root.querySelector(".out").onclick = () => zoomAt(state, state.panels[0], 1 / 1.4, ...middle())
  root.querySelector(".whole").onclick = () => whole(state)
  root.querySelector(".lasso").onclick = (event) => {
    state.lasso = !state.lasso
    event.currentTarget.setAttribute("aria-pressed", String(state.lasso))
    state.panels.forEach(({ plane }) => plane.classList.toggle("drawing", state.lasso))
  }
  return state
}

// Where a point of the unit square is drawn, and the side of a tile. The cells of a grid are square and touch; loose
// points are stretched to the plane, whose directions have no unit.
function view(state, panel) {
  const { clientWidth: width, clientHeight: height } = panel.plane
  const { zoom, data } = state
  let [scale, side] = [[], 0]
  if (data.grid) {
    side = Math.min((width - 16) / data.grid[0], (height - 16) / data.grid[1]) * zoom
    scale = [side * data.grid[0], side * data.grid[1]]
  } else {
    scale = [(width - 2 * MARGIN) * zoom, (height - 2 * MARGIN) * zoom]
    side = Math.max(14, Math.min(120, 0.6 * zoom ** 0.75 * Math.sqrt((width * height) / Math.max(1, panel.points.length))))
  }
  const at = (x, y) => [width / 2 + (x - state.x) * scale[0], height / 2 + (y - state.y) * scale[1]]
  return { width, height, scale, side, at }
}

function draw(state, panel) {
  const { canvas } = panel
  const { width, height, side, at } = view(state, panel)
  const ratio = window.devicePixelRatio || 1
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) Object.assign(canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) })
  const context = canvas.getContext("2d")
  context.setTransform(ratio, 0, 0, ratio, 0, 0)
  context.clearRect(0, 0, width, height)
  context.imageSmoothingQuality = "high"
  for (const point of panel.points) drawPoint(context, state, panel, point, side, at)
  const marked = markedIn(state, panel)
  if (marked) drawPoint(context, state, panel, marked, side * (state.data.grid ? 1.1 : 1.25), at)
  if (state.line?.panel === panel && state.line.points.length > 1) {
    context.beginPath()
    state.line.points.forEach(([x, y]) => context.lineTo(x, y))
    context.closePath()
    Object.assign(context, { strokeStyle: state.colours.accent, lineWidth: 2, fillStyle: `color-mix(in srgb, ${state.colours.accent} 16%, transparent)` })
    context.fill()
    context.stroke()
  }
}

// The point under the cursor, and in the other panel its partner.
function markedIn(state, panel) {
  if (!state.hover) return null
  if (state.hover.panel === panel) return state.hover.point
  const { partner } = state.hover.point
  return partner == null ? null : panel.byId.get(partner) ?? null
}

function drawPoint(context, state, panel, point, side, at) {
  const [x, y] = at(point.x, point.y)
  if (x < -side || y < -side || x > panel.plane.clientWidth + side || y > panel.plane.clientHeight + side) return
  const [left, top] = [x - side / 2, y - side / 2]
  const drawn = point.tile && drawTile(context, state.data.sheets[point.tile[0]], point.tile[1], left, top, side, state.again)
  if (!drawn) {
    context.fillStyle = state.colours.back
    context.fillRect(left, top, side, side)
  }
  const picked = panel.number === 0 && state.picked.has(point.id)
  if (!picked && point !== markedIn(state, panel)) return
  Object.assign(context, { strokeStyle: picked ? state.colours.picked : state.colours.accent, lineWidth: 3 })
  context.strokeRect(left - 1, top - 1, side + 2, side + 2)
}

function pointAt(state, panel, x, y) {
  const { side, at } = view(state, panel)
  let [found, least] = [null, Infinity]
  for (const point of panel.points) {
    const [px, py] = at(point.x, point.y)
    const far = Math.max(Math.abs(px - x), Math.abs(py - y))
    if (far <= side / 2 && far < least) [found, least] = [point, far]
  }
  return found
}

function zoomAt(state, panel, factor, x, y) {
  const before = view(state, panel)
  const zoom = Math.min(MOST, Math.max(LEAST, state.zoom * factor))
  const shrunk = 1 - state.zoom / zoom
  state.x += ((x - before.width / 2) / before.scale[0]) * shrunk
  state.y += ((y - before.height / 2) / before.scale[1]) * shrunk
  state.zoom = zoom
  state.again()
}

function listen(state, panel) {
  const { plane } = panel
  const place = (event) => {
    const box = plane.getBoundingClientRect()
    return [event.clientX - box.left, event.clientY - box.top]
  }
  let down = null
  plane.onpointerdown = (event) => {
    if (event.button) return
    plane.setPointerCapture(event.pointerId)
    down = { at: place(event), x: state.x, y: state.y, moved: false, drawing: (state.lasso || event.shiftKey) && panel.number === 0 }
    if (down.drawing) state.line = { panel, points: [down.at] }
  }
  plane.onpointermove = (event) => {
    const [x, y] = place(event)
    if (!down) return hover(state, panel, pointAt(state, panel, x, y))
    if (Math.hypot(x - down.at[0], y - down.at[1]) > 4) down.moved = true
    if (!down.moved) return
    hover(state, panel, null)
    if (down.drawing) state.line.points.push([x, y])
    else {
      const { scale } = view(state, panel)
      state.x = down.x - (x - down.at[0]) / scale[0]
      state.y = down.y - (y - down.at[1]) / scale[1]
      plane.classList.add("moving")
    }
    state.again()
  }
  plane.onpointerup = (event) => {
    const [x, y] = place(event)
    plane.classList.remove("moving")
    if (down?.drawing) pick(state, down.moved ? inside(state, panel) : [])
    else if (down && !down.moved) {
      const point = pointAt(state, panel, x, y)
      if (state.data.grid) pick(state, point ? [point] : [])
      else if (point) state.component.setTriggerValue("opened", [panel.number, point.id])
    }
    down = null
  }
  plane.onpointerleave = () => hover(state, panel, null)
  plane.addEventListener("wheel", (event) => {
    event.preventDefault()
    zoomAt(state, panel, Math.exp(-event.deltaY / 400), ...place(event))
  }, { passive: false })
  plane.onkeydown = (event) => onKey(state, panel, event)
}

// The keys work also where nothing has the focus.
function listenAnywhere(state) {
  const anywhere = (event) => {
    if (!state.root.isConnected) return document.removeEventListener("keydown", anywhere)
    if (event.composedPath()[0] !== document.body || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return
    onKey(state, state.panels[0], event)
  }
  document.addEventListener("keydown", anywhere)
}

function onKey(state, panel, event) {
  const [right, down] = view(state, panel).scale.map((scale) => 60 / scale)
  const moves = { ArrowLeft: [-right, 0], ArrowRight: [right, 0], ArrowUp: [0, -down], ArrowDown: [0, down] }
  const middle = [panel.plane.clientWidth / 2, panel.plane.clientHeight / 2]
  if (event.key in moves) {
    state.x += moves[event.key][0]
    state.y += moves[event.key][1]
  } else if (event.key === "+" || event.key === "=") zoomAt(state, panel, 1.4, ...middle)
  else if (event.key === "-") zoomAt(state, panel, 1 / 1.4, ...middle)
  else if (event.key === "Home") whole(state)
  else if (event.key === "Escape" && state.picked.size) pick(state, [])
  else return
  event.preventDefault()
  state.again()
}

function whole(state) {
  Object.assign(state, { zoom: 1, x: 0.5, y: 0.5 })
  state.again()
}

// The points within the closed line: those from which a ray to the right crosses it an odd number of times.
function inside(state, panel) {
  const { at } = view(state, panel)
  const line = state.line.points
  return panel.points.filter((point) => {
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
  state.picked = new Set(points.map((point) => point.id))
  state.component.setTriggerValue("picked", [...state.picked].sort((a, b) => a - b))
  state.root.querySelector(".live").textContent = `${points.length} ${state.data.noun} picked`
  state.again()
}

function hover(state, panel, point) {
  if (point === (state.hover?.point ?? null)) return
  state.hover = point && { panel, point }
  panel.plane.classList.toggle("over", Boolean(point) && !state.lasso)
  for (const each of state.panels) {
    const marked = markedIn(state, each)
    fillTip(each.tip, marked, state.data.sheets)
    if (!marked) continue
    const { at, side, width, height } = view(state, each)
    placeTip(each.tip, at(marked.x, marked.y), side, width, height)
  }
  state.again()
}
