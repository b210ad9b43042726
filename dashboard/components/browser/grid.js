// The grid of a layer's channels: one canvas for all of them. Sorting, filtering and zooming never leave the browser;
// Python hears of the view (for the address) and of what is opened.

const STATES = new WeakMap()
const PAD = 6
const BELOW = 46 // px that a page leaves free below what stands last on it

export default function (component) {
  const { parentElement, data } = component
  const root = parentElement.querySelector(".grid")
  let state = STATES.get(parentElement)
  if (!state) {
    state = newState(root)
    STATES.set(parentElement, state)
  }
  state.component = component
  state.observer.observe(root.querySelector(".view"))
  const focused = state.grid.order[state.grid.focus]
  state.grid.data = data
  adoptView(state, data.view)
  state.grid.colours = coloursOf(root, data)
  dress(state)
  rearrange(state, focused)
  hoverAgain(state)
  listenForSteps({ "[": ["layer", -1], "]": ["layer", 1] })
  stepsFrom("layer", data.title, data.room, () => root.isConnected, (by) => state.component.setTriggerValue("step", by))
  return () => {
    state.observer.disconnect()
    state.around?.disconnect()
    state.page = null
  }
}

function newState(root) {
  const canvas = root.querySelector(".view canvas")
  const state = { root, canvas, received: null, sent: [], timer: null, frame: null, bars: null, pointer: null }
  state.grid = { view: {}, order: [], layout: null, scroll: 0, focus: -1, hover: null, pad: PAD, width: 0, visibleHeight: 0 }
  state.again = () => {
    state.frame ??= requestAnimationFrame(() => {
      state.frame = null
      if (state.grid.layout && root.isConnected) drawGrid(canvas, state.grid, state.again)
    })
  }
  state.observer = new ResizeObserver(() => relayout(state))
  listen(state)
  return state
}

// The view of the address wins when it changed there (a link, browser back), not when it echoes what we told it: the
// latest, or one before it that was still on its way.
function adoptView(state, view) {
  const written = JSON.stringify(view)
  if (written === state.received) return
  state.received = written
  const echoed = state.sent.lastIndexOf(written)
  if (echoed < 0) state.grid.view = structuredClone(view)
  state.sent.splice(0, echoed < 0 ? state.sent.length : echoed + 1)
}

function tellView(state) {
  clearTimeout(state.timer)
  state.timer = setTimeout(() => {
    const written = JSON.stringify(state.grid.view)
    if (written === (state.sent.at(-1) ?? state.received)) return
    tellIfTyped(state.sent.at(-1) ?? state.received, state.grid.view)
    state.sent.push(written)
    state.component.setStateValue("view", structuredClone(state.grid.view))
  }, 350)
}

// What is typed, and how large the tiles are, is no step of its own in the browser's history (history.js).
function tellIfTyped(before, view) {
  const { find, size } = view
  if (JSON.stringify({ ...JSON.parse(before), find, size }) !== JSON.stringify(view)) return
  ;(window.strataTyped ??= []).push({ find, size: String(size), until: performance.now() + 5000 })
}

function coloursOf(root, data) {
  const style = getComputedStyle(root)
  const read = (name) => style.getPropertyValue(name).trim()
  const text = read("--st-text-color")
  const muted = `color-mix(in srgb, ${text} 62%, ${read("--st-background-color")})`
  root.style.setProperty("--muted", muted)
  return {
    text, faint: data.dark ? "#98a19e" : "#6a716f", tile: read("--st-secondary-background-color"),
    focus: read("--st-primary-color"), picked: data.dark ? "#e0a458" : "#c8862b", scrub: "#ffffffcc",
    font: style.fontFamily,
  }
}

function dress(state) {
  const { root, grid } = state
  const titles = root.querySelector(".titles")
  titles.hidden = grid.data.panels.length < 2
  titles.replaceChildren(...grid.data.panels.map((panel) => Object.assign(document.createElement("span"), { textContent: panel.title })))
  root.querySelector(".view").setAttribute("aria-label", `${grid.data.title}: channels`)
  document.fonts?.ready.then(state.again)
}

function change(state, changes) {
  const focused = state.grid.order[state.grid.focus]
  if ("sort" in changes) Object.assign(changes, { low: null, high: null })
  Object.assign(state.grid.view, changes)
  if ("size" in changes) {
    state.root.querySelector(".size").value = changes.size
    relayout(state)
  } else rearrange(state, focused)
  tellView(state)
}

function rearrange(state, keepFocusOn) {
  const { grid, root } = state
  grid.order = arrange(grid.data, grid.view)
  if (keepFocusOn !== undefined) grid.focus = grid.order.indexOf(keepFocusOn)
  grid.focus = Math.min(grid.focus, grid.order.length - 1)
  fillControls(root, grid.data, grid.view)
  fillCount(root, grid.order.length, grid.data.channels.length, grid.data.coming, grid.data.word)
  fillPicked(root, grid.view, (changes) => change(state, changes))
  state.bars = fillSpread(root, grid.data, grid.view, null)
  const side = root.querySelector(".beside")
  side.hidden = !(grid.view.beside && grid.view.selected.length)
  root.querySelector(".view").hidden = !side.hidden
  if (!side.hidden) fillBeside(side, grid.data, grid.view, (changes) => change(state, changes), (i) => tellOpened(state, i, 0))
  const none = root.querySelector(".none")
  none.hidden = grid.order.length > 0
  none.firstElementChild.textContent = "No channel fits."
  fit(state)
  fillOption(root, grid)
  relayout(state)
}

// The grid ends where the window does, whatever stands above it: else it and the page would both scroll. A narrow
// screen has so much above it that there the grid has a share of the screen of its own.
function fit(state) {
  const { root } = state
  const [view, side] = [root.querySelector(".view"), root.querySelector(".beside")]
  const page = scrollerOf(root)
  const top = (side.hidden ? view : side).getBoundingClientRect().top + page.scrollTop
  const least = window.matchMedia("(max-width: 760px)").matches ? "65vh" : "320px"
  const height = `max(${least}, calc(100vh - ${Math.ceil(top) + BELOW}px))`
  if (view.style.height !== height) view.style.height = side.style.maxHeight = height
  if (page !== state.page) refitWith(state, page)
}

// What stands above the grid may come, go and wrap without the grid's hearing of it; the page as a whole then changes.
function refitWith(state, page) {
  state.page = page
  state.around?.disconnect()
  state.around = new ResizeObserver(() => requestAnimationFrame(() => state.root.isConnected && fit(state)))
  for (const each of [page.firstElementChild, state.root.querySelector(".bar")]) if (each) state.around.observe(each)
}

function scrollerOf(element) {
  for (let each = element; each; each = each.parentElement || each.getRootNode().host)
    if (each !== element && /auto|scroll/.test(getComputedStyle(each).overflowY)) return each
  return document.scrollingElement
}

function relayout(state) {
  const { grid, root, canvas } = state
  const view = root.querySelector(".view")
  if (!grid.data || !view.clientWidth) return
  grid.width = view.clientWidth
  grid.visibleHeight = view.clientHeight
  grid.layout = layoutOf(grid.width - 2 * PAD, grid.view.size, grid.data.panels.length, grid.order.length)
  canvas.style.width = `${grid.width}px`
  canvas.style.height = `${grid.visibleHeight}px`
  root.querySelector(".tall").style.height = `${grid.layout.height + 2 * PAD}px`
  grid.scroll = view.scrollTop
  state.again()
}

function listen(state) {
  const { root, grid } = state
  const set = (changes) => change(state, changes)
  root.querySelector(".find").oninput = (event) => set({ find: event.target.value })
  root.querySelector(".find").onkeydown = (event) => {
    event.stopPropagation()
    const there = event.key === "Enter" && addressed(event.target.value)
    if (there && there.layer !== grid.data.title) state.component.setTriggerValue("opened", { ...there, panel: 0 })
    else if (event.key === "Enter" || event.key === "ArrowDown") moveTo(state, 0)
    if (event.key === "Escape") set({ find: "" })
  }
  root.querySelector(".sort").onchange = (event) => set({ sort: event.target.value, up: false })
  root.querySelector(".direction").onclick = () => set({ up: !grid.view.up })
  root.querySelector(".size").oninput = (event) => set({ size: Number(event.target.value) })
  for (const button of root.querySelectorAll("[data-show]")) button.onclick = () => set({ show: button.dataset.show })
  root.querySelector(".plot").onclick = () => set({ across: grid.view.across ? "" : grid.view.sort || grid.data.statistics[0].name })
  root.querySelector(".help-button").onclick = () => toggleHelp(state)
  root.querySelector(".none button").onclick = () => set({ find: "", low: null, high: null })
  listenToSpread(root.querySelector(".spread"), state, set)
  listenToView(state, root.querySelector(".view"))
}

function listenToView(state, view) {
  const { grid } = state
  const at = (event) => underPointer(state, event)
  const point = (event) => {
    state.pointer = event && { clientX: event.clientX, clientY: event.clientY }
    hover(state, event && at(event))
  }
  view.addEventListener("scroll", () => {
    grid.scroll = view.scrollTop
    hover(state, null)
    state.again()
  }, { passive: true })
  view.onpointermove = (event) => event.pointerType !== "touch" && point(event)
  view.onpointerleave = () => point(null)
  view.onclick = (event) => {
    const tile = at(event)
    if (!tile) return
    grid.focus = tile.position
    if (event.shiftKey || event.ctrlKey || event.metaKey) pick(state, tile.position)
    else open(state, tile.position, tile.panel)
  }
  view.addEventListener("wheel", (event) => {
    if (!event.ctrlKey) return
    event.preventDefault()
    zoom(state, event.deltaY < 0 ? 1.1 : 1 / 1.1)
  }, { passive: false })
  view.onkeydown = (event) => onKey(state, event)
  view.onblur = () => hover(state, null)
  const anywhere = (event) => {
    if (!view.isConnected) return document.removeEventListener("keydown", anywhere)
    const typing = event.composedPath()[0].closest?.("input, textarea, select, [contenteditable]")
    if (typing || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return
    if (event.key === "/") { event.preventDefault(); state.root.querySelector(".find").focus() }
    else if (event.key === "?") { event.preventDefault(); toggleHelp(state) }
    else if (event.key === "Escape" && !state.root.querySelector(".help").hidden) { event.preventDefault(); toggleHelp(state, false) }
    else if (event.key === "c" && grid.view.selected.length) change(state, { beside: !grid.view.beside })
    else if (event.key.startsWith("Arrow") && event.composedPath()[0] === document.body) { view.focus(); onKey(state, event) }
  }
  document.addEventListener("keydown", anywhere)
}

function onKey(state, event) {
  const { grid } = state
  const columns = grid.layout?.columns || 1
  const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }
  if (event.key in steps) moveTo(state, grid.focus < 0 ? 0 : grid.focus + steps[event.key])
  else if (event.key === "Home") moveTo(state, 0)
  else if (event.key === "End") moveTo(state, grid.order.length - 1)
  else if (event.key === "Enter" && grid.focus >= 0) open(state, grid.focus, 0)
  else if (event.key === " " && grid.focus >= 0) pick(state, grid.focus)
  else if (event.key === "+" || event.key === "=") zoom(state, 1.15)
  else if (event.key === "-") zoom(state, 1 / 1.15)
  else if (event.key === "Escape" && !state.root.querySelector(".help").hidden) toggleHelp(state, false)
  else if (event.key === "Escape") change(state, { selected: [], beside: false })
  else return
  event.preventDefault()
}

function moveTo(state, position) {
  const { grid, root } = state
  if (!grid.order.length) return
  if (position < 0 || position >= grid.order.length) position = Math.max(0, Math.min(grid.order.length - 1, position))
  grid.focus = position
  const view = root.querySelector(".view")
  view.focus({ preventScroll: true })
  const top = Math.floor(position / grid.layout.columns) * grid.layout.rowHeight
  if (top < view.scrollTop) view.scrollTop = top
  if (top + grid.layout.rowHeight > view.scrollTop + view.clientHeight) view.scrollTop = top + grid.layout.rowHeight - view.clientHeight + PAD
  grid.scroll = view.scrollTop
  root.querySelector(".live").textContent = spoken(grid.data, grid.order[position])
  fillOption(root, grid)
  hover(state, null)
  markSpread(state, grid.order[position])
  state.again()
}

function hover(state, tile) {
  const { grid, root } = state
  const card = root.querySelector(".card")
  const before = grid.hover?.position
  grid.hover = tile
  state.again()
  if (!tile) {
    card.hidden = true
    if (before !== undefined) markSpread(state, null)
    return
  }
  if (tile.position === before) return
  const i = grid.order[tile.position]
  fillCard(card, grid.data, i, () => grid.hover?.position === tile.position && fillCard(card, grid.data, i))
  const box = root.querySelector(".view").getBoundingClientRect()
  const { columns, side, rowHeight, panelWidth } = grid.layout
  const left = box.left + PAD + tile.panel * (panelWidth + GUTTER) + (tile.position % columns) * (side + GAP)
  placeCard(card, left, left + side, box.top + Math.floor(tile.position / columns) * rowHeight - grid.scroll)
  markSpread(state, i)
}

function underPointer({ root, grid }, { clientX, clientY }) {
  const view = root.querySelector(".view")
  const box = view.getBoundingClientRect()
  const [x, y] = [clientX - box.left - PAD, clientY - box.top - PAD + view.scrollTop]
  return grid.layout && tileAt(grid.layout, grid.data.panels.length, x, y, grid.order.length)
}

// New data came in under a resting pointer: the card tells of what lies there now.
function hoverAgain(state) {
  if (!state.grid.hover || !state.pointer) return
  const tile = underPointer(state, state.pointer)
  state.grid.hover = null
  hover(state, tile)
}

function markSpread(state, i) {
  const { grid, root } = state
  const statistic = statisticOf(grid.data, grid.view.sort)
  if (statistic) fillSpread(root, grid.data, grid.view, i === null ? null : statistic.values[i])
}

function pick(state, position) {
  const channel = state.grid.data.channels[state.grid.order[position]]
  const chosen = new Set(state.grid.view.selected)
  if (!chosen.delete(channel) && chosen.size < state.grid.data.mostSelected) chosen.add(channel)
  change(state, { selected: [...chosen] })
}

function open(state, position, panel) {
  tellOpened(state, state.grid.order[position], panel)
}

function tellOpened(state, i, panel) {
  hover(state, null)
  state.component.setTriggerValue("opened", { channel: state.grid.data.channels[i], panel })
}

function zoom(state, factor) {
  change(state, { size: Math.round(Math.min(220, Math.max(48, state.grid.view.size * factor))) })
}

function toggleHelp(state, shown) {
  const help = state.root.querySelector(".help")
  help.hidden = shown === undefined ? !help.hidden : !shown
}
